"""`/plan-release <environment>`: what would be done, and why it would not."""

from __future__ import annotations

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.evaluation import evaluate
from handlers.policy import policy_of
from policies import Policy
from policies.roles import Permission


@command("/plan-release <environment>", needs=Permission.READ)
def plan_release(call: Call, view: View) -> Answer:
    """Say what a release to an environment would do, and what it waits for; do nothing."""
    environment, policy = environment_of(call, view), policy_of(view.state)
    evaluation = evaluate(view, settled=True).get(environment)
    if policy is None or evaluation is None:
        raise Refused("NothingEvaluated", messages.nothing_evaluated())
    return Answer(reply=messages.planned(environment, _steps(policy, environment, view), evaluation.tree))


def _steps(policy: Policy, environment: str, view: View) -> list[str]:
    state, slot = view.state, view.slots.get(environment)
    deployed = state.deployments.get(environment)
    if deployed and deployed.status == "completed" and deployed.revision == state.head:
        return [messages.plan_done(state.version, environment)]
    steps = []
    if not state.merged:
        by_bot = policy.merge.when == "approved"
        steps.append(messages.plan_merge(policy.merge.method, by_bot=by_bot))
    first = [name for name in policy.environments[environment].after if not _runs(name, view)]
    if first:
        steps.append(messages.plan_before(first))
    how, good = policy.environments[environment].deploy, (slot.last_known_good or {}) if slot else {}
    running = slot.running_version if slot else None
    steps.append(messages.plan_deploy(state.version, environment, how.strategy, running))
    steps.append(messages.plan_failure(how.retries, how.rollback, good.get("version")))
    return steps


def _runs(environment: str, view: View) -> bool:
    deployed = view.state.deployments.get(environment)
    return deployed is not None and deployed.status == "completed" and deployed.revision == view.state.head
