"""`/provision <environment>`: the infrastructure that waits for a person's word is made."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import do, record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.cloud_provisioner import AGENT, provision_of
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.policy import policy_of
from policies.roles import Permission


@command("/provision <environment>", needs=Permission.PROVISION)
def provision(call: Call, view: View) -> Answer:
    """Approve the infrastructure of an environment that was asked for and is not there, and have it made."""
    environment, state, policy = environment_of(call, view), view.state, policy_of(view.state)
    tasks = state.flow.tasks.values()
    ready = state.infra.get(environment)
    if ready:
        raise Refused("NothingToProvision", messages.provisioned_already(environment, ready["namespace"]))
    if any(task["agent"] == AGENT for task in tasks):
        raise Refused("NothingToProvision", messages.provisioning_now(environment))
    failed = [task for task in state.flow.ended.values() if task["agent"] == AGENT]
    if policy is None or not failed:
        raise Refused("NothingToProvision", messages.no_plan(environment))
    approved = p.ProvisioningApproved(environment=environment, approver=call.actor.login)
    told = draft("ProvisioningApproved", approved, environment=environment, actor=call.actor.login)
    strategy = policy.environments[environment].deploy.strategy
    made = do(provision_of(view, environment, strategy, failed[-1]["taskId"]))
    return Answer(record(told) + made, messages.provisioning(environment, call.actor.login))
