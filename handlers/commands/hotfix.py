"""`/hotfix <environment> <reason>`: an approved emergency version is deployed once more."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.release import HOTFIX
from bot.domain.view import View
from handlers.ahead import ahead
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.evaluation import evaluate
from policies.roles import Permission


@command("/hotfix <environment> <reason...>", needs=Permission.DEPLOY)
def hotfix(call: Call, view: View) -> Answer:
    """Deploy an approved emergency version, also one that failed there or was rolled back."""
    environment, state, reason = environment_of(call, view), view.state, call.arguments["reason"]
    if not state.merged or state.head is None:
        raise Refused("NotMerged", messages.not_merged_yet(environment))
    deployed = state.deployments.get(environment)
    if deployed and deployed.revision == state.head and deployed.status != "failed":
        raise Refused("AlreadyDeployed", messages.already_deployed(environment, state.version))
    said = p.TriggerRequested(reason=HOTFIX, timer=call.correlation, revision=state.head, why=reason)
    started = record(draft("TriggerRequested", said, environment=environment, actor=call.actor.login))
    verdict = evaluate(ahead(view, started))[environment].verdict
    if not verdict.approved:
        raise Refused("NotApproved", messages.not_approved(environment, verdict.message))
    return Answer(started, messages.hotfix(environment, state.version, call.actor.login, reason))
