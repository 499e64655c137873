"""`/deploy <environment>`: a person starts a release whose start the policy leaves to people (`manual`)."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.release import START
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from policies.roles import Permission


@command("/deploy [environment]", needs=Permission.DEPLOY)
def deploy(call: Call, view: View) -> Answer:
    """Say that the merged release may start in an environment; every other gate must hold as well."""
    environment, state = environment_of(call, view), view.state
    if not state.merged or state.head is None:
        raise Refused("NotMerged", messages.not_merged_yet(environment))
    deployed = state.deployments.get(environment)
    if deployed and deployed.revision == state.head and deployed.status != "failed":
        raise Refused("AlreadyDeployed", messages.already_deployed(environment, state.version))
    said = p.TriggerRequested(reason=START, timer=call.correlation, revision=state.head)
    told = draft("TriggerRequested", said, environment=environment, actor=call.actor.login)
    return Answer(record(told), messages.started_by_person(environment, state.version))
