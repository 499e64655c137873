"""Deployment Orchestrator: start, probe, retry, roll back (seed 003, agent 6 and "Rollback and Recovery
Flows").

One deployment per module and environment at a time; a newer release supersedes a waiting one. Never rolls
back a rollback.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, Message, do, record
from bot.domain.deployment import Slot
from bot.domain.effect import ApplyRelease, Target
from bot.domain.event import Draft, Event
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import facts, on, skill
from handlers.evaluation import Evaluation, evaluate
from handlers.policy import policy_of
from handlers.reevaluation import reevaluate
from handlers.targets import ORCHESTRATOR, target_of, tell_forge
from handlers.tasks import failed, running

AGENT = ORCHESTRATOR


def _waiting(view: View) -> str | None:
    """The environment that is approved and not yet deployed by this trace."""
    for name, release in view.state.releases.items():
        deployed = view.state.deployments.get(name)
        if release.verdict == "approved" and not (deployed and deployed.release_id == release.release_id):
            return name
    return None


@skill(AGENT, "DeployRelease")
def deploy_release(task: p.TaskScheduled, view: View) -> Decision:
    """Gather the facts once more: the gates are checked again in the transaction that starts the
    deployment.
    """
    if _waiting(view) is None:
        return failed(task, "NothingApproved", messages.nothing_approved())
    return ask(view, "deploy", task.task_id, task_id=task.task_id)


@on("NodeUnblocked")
def unblocked(_event: Event, view: View) -> Decision:
    """The environment is free again: go on with the task that waited for it."""
    task_id = next((name for name, task in view.state.flow.tasks.items() if task["agent"] == AGENT), None)
    return ask(view, "deploy", task_id, task_id=task_id) if task_id else NOTHING


@facts("deploy")
def start(gathered: p.FactsGathered, view: View) -> Decision:
    """Start, wait for the environment, or go back to evaluation when a gate closed meanwhile."""
    task = running(view, AGENT, gathered.correlation)
    environment = _waiting(view)
    if task is None or environment is None:
        return NOTHING
    evaluation = evaluate(view).get(environment)
    if evaluation is None or evaluation.verdict.state != "approved":
        return reevaluate(view)
    slot = view.slots.get(environment) or Slot(environment=environment)
    refused = _refusal(task, slot, evaluation, view)
    if refused:
        return refused
    if slot.holder_trace not in {None, view.state.trace_id}:
        return _wait(slot, evaluation, view)
    return _begin(task, slot, environment, view)


def _refusal(task: p.TaskScheduled, slot: Slot, evaluation: Evaluation, view: View) -> Decision | None:
    again = evaluation.release_id in view.state.retried
    if evaluation.release_id in slot.rolled_back and not again:
        return failed(task, "RolledBack", messages.rolled_back_before(slot.environment, view.state.version))
    if view.state.module.get("needsInfrastructure", True) and slot.environment not in view.state.infra:
        return failed(task, "NotProvisioned", messages.not_provisioned(slot.environment))
    return None


def _wait(slot: Slot, evaluation: Evaluation, view: View) -> Decision:
    stalled = Draft(
        type="TaskStalled",
        environment=slot.environment,
        release_id=evaluation.release_id,
        agent_id=AGENT,
        data={
            "environment": slot.environment,
            "releaseId": evaluation.release_id,
            "reason": "environment-busy",
            "holder": slot.holder_trace,
        },
    )
    decision = record(stalled)
    if slot.waiting_trace and slot.waiting_trace != view.state.trace_id:
        skipped = Draft(
            type="TaskSkipped",
            environment=slot.environment,
            data={
                "environment": slot.environment,
                "releaseId": slot.waiting_release,
                "reason": "superseded",
                "by": view.state.trace_id,
            },
        )
        decision += Decision(
            messages=(
                Message(
                    slot.waiting_trace,
                    f"superseded-by-{evaluation.release_id}-{view.state.sequence}",
                    skipped,
                ),
            )
        )
    return decision


def _begin(task: p.TaskScheduled, slot: Slot, environment: str, view: View) -> Decision:
    policy = policy_of(view.state)
    deploy = policy.environments[environment].deploy if policy else None
    target = target_of(view, environment)
    started = p.DeploymentStarted(
        environment=environment,
        namespace=target.namespace,
        release_id=target.release_id,
        revision=target.revision,
        version=target.version,
        strategy=deploy.strategy if deploy else "process",
        previous_version=slot.running_version,
        retries=deploy.retries if deploy else 0,
        rollback_allowed=bool(deploy and deploy.rollback == "automatic"),
    )
    return record(
        draft(
            "DeploymentStarted",
            started,
            environment=environment,
            release_id=target.release_id,
            agent_id=AGENT,
            skill_id="DeployRelease",
            task_id=task.task_id,
        )
    ) + do(_apply(target, started, task.task_id), tell_forge(view, target, "in_progress"))


def _apply(target: Target, started: p.DeploymentStarted, task_id: str | None) -> ApplyRelease:
    return ApplyRelease(
        purpose="deploy", task_id=task_id, agent_id=AGENT, strategy=started.strategy, release=target
    )
