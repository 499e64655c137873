"""Deployment Orchestrator: start, probe, retry, roll back (seed 003, agent 6 and "Rollback and Recovery Flows").

One deployment per module and environment at a time; a newer release supersedes a waiting one. Never rolls back a rollback.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Message, do, record
from bot.domain.deployment import Slot
from bot.domain.effect import ApplyRelease, GatherFacts, Health, RecordDeployment, Target, UndoRelease
from bot.domain.event import Draft, Event
from bot.domain.model import rfc3339
from bot.domain.view import View
from handlers.declare import done, facts, on, skill
from handlers.evaluation import Evaluation, evaluate
from handlers.policy import policy_of
from handlers.release_manager import reevaluate
from handlers.targets import current_release, last_environment, target_of
from handlers.tasks import failed, running

AGENT = "deployment-orchestrator"


def _waiting(view: View) -> str | None:
    """The environment that is approved and not yet deployed by this trace."""
    for name, release in view.state.releases.items():
        deployed = view.state.deployments.get(name)
        if release.verdict == "approved" and not (deployed and deployed.release_id == release.release_id):
            return name
    return None


def _ask(view: View, task_id: str) -> Decision:
    state = view.state
    approvers = tuple(sorted({a.approver for a in state.approvals if not a.ended}))
    return do(
        GatherFacts(
            target=state.forge,
            repository=state.repository,
            purpose="deploy",
            correlation=task_id,
            task_id=task_id,
            agent_id=AGENT,
            change=(state.change or {}).get("number"),
            actors=approvers,
        )
    )


@skill(AGENT, "DeployRelease")
def deploy_release(task: p.TaskScheduled, view: View) -> Decision:
    """Gather the facts once more: the gates are checked again in the transaction that starts the deployment."""
    if _waiting(view) is None:
        return failed(task, "NothingApproved", messages.nothing_approved())
    return _ask(view, task.task_id)


@on("NodeUnblocked")
def unblocked(_event: Event, view: View) -> Decision:
    """The environment is free again: go on with the task that waited for it."""
    task_id = next((name for name, task in view.state.flow.tasks.items() if task["agent"] == AGENT), None)
    return _ask(view, task_id) if task_id else NOTHING


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
    if evaluation.release_id in slot.rolled_back:
        return failed(task, "RolledBack", messages.rolled_back_before(slot.environment, view.state.version))
    if slot.environment not in view.state.infra:
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
            messages=(Message(slot.waiting_trace, f"superseded-{evaluation.release_id}", skipped),)
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
    ) + do(_apply(target, started, task.task_id), _tell(view, environment, target.revision, "in_progress"))


def _apply(
    target: Target, started: p.DeploymentStarted, task_id: str | None, attempt: int = 1
) -> ApplyRelease:
    return ApplyRelease(
        purpose="deploy",
        task_id=task_id,
        agent_id=AGENT,
        strategy=started.strategy,
        release=target,
        attempt=attempt,
    )


def _tell(
    view: View, environment: str, revision: str, state: str, url: str = "", why: str = ""
) -> RecordDeployment:
    return RecordDeployment(
        target=view.state.forge,
        repository=view.state.repository,
        purpose="deploy",
        agent_id=AGENT,
        environment=environment,
        revision=revision,
        state=state,
        url=url,
        description=why,
    )


@done("ApplyRelease", "deploy")
def applied(action: p.ActionCompleted, view: View) -> Decision:
    """Healthy: completed. Else try again while the policy allows, then roll back."""
    return _outcome(
        Target.model_validate(action.request["release"]),
        Health.model_validate(action.result),
        int(action.request.get("attempt", 1)),
        view,
        action.task_id,
    )


@on("AgentSkillFailed")
def could_not_apply(event: Event, view: View) -> Decision:
    """A deployment that could not even be tried counts as an unhealthy one."""
    failure = read(event, p.SkillFailed)
    if failure.effect not in {"ApplyRelease", "UndoRelease"} or not failure.exhausted:
        return NOTHING
    health = Health(healthy=False, reason=failure.message)
    if failure.effect == "UndoRelease":
        return _undone(Target.model_validate(failure.request["failed"]), None, health, view)
    return _outcome(
        Target.model_validate(failure.request["release"]),
        health,
        failure.request.get("attempt", 1),
        view,
        failure.task_id,
    )


def _outcome(target: Target, health: Health, attempt: int, view: View, task_id: str | None) -> Decision:
    deployment = view.state.deployments.get(target.environment)
    if deployment is None or deployment.status != "started" or deployment.release_id != target.release_id:
        return NOTHING  # a late answer of a deployment that has ended
    if health.healthy:
        return _completed(target, health, attempt, view, task_id)
    if attempt <= deployment.retries:
        again = ApplyRelease(
            purpose="deploy",
            task_id=task_id,
            agent_id=AGENT,
            strategy=deployment.strategy,
            release=target,
            attempt=attempt + 1,
        )
        return do(again)
    if not deployment.rollback_allowed:
        return _failed(target, health, attempt, view, None) + _escalate(target, health, view)
    return roll_back(target, health.reason, view, trigger="automatic")


def _completed(target: Target, health: Health, attempt: int, view: View, task_id: str | None) -> Decision:
    ended = _ended(target, health, attempt, view, release=target.to_json())
    decision = record(
        draft(
            "DeploymentCompleted",
            ended,
            environment=target.environment,
            release_id=target.release_id,
            agent_id=AGENT,
            skill_id="DeployRelease",
            task_id=task_id,
            status="Success",
        )
    )
    if last_environment(view, target.environment):
        decision += record(
            draft(
                "ReleasePublished",
                p.ReleaseVerdict(
                    environment=target.environment,
                    revision=target.revision,
                    version=target.version,
                    module_id=target.module_id,
                ),
                environment=target.environment,
                release_id=target.release_id,
                agent_id=AGENT,
            )
        )
    return (
        decision
        + do(_tell(view, target.environment, target.revision, "success", health.url))
        + _release_slot(view, target.environment)
    )


def _ended(target: Target, health: Health, attempt: int, view: View, **more: object) -> p.DeploymentEnded:
    deployment = view.state.deployments.get(target.environment)
    return p.DeploymentEnded(
        environment=target.environment,
        release_id=target.release_id,
        revision=target.revision,
        version=target.version,
        strategy=deployment.strategy if deployment else "",
        attempt=attempt,
        url=health.url,
        pid=health.pid,
        deployed_at=rfc3339(view.now),
        health_status=health.health_status,
        startup_time_ms=health.startup_time_ms,
        restarts=health.restarts,
        reason=health.reason,
        **more,
    )


def _failed(
    target: Target, health: Health, attempt: int, view: View, rolled_back_to: str | None, **more: object
) -> Decision:
    ended = _ended(target, health, attempt, view, rolled_back_to=rolled_back_to, **more)
    decision = record(
        draft(
            "DeploymentFailed",
            ended,
            environment=target.environment,
            release_id=target.release_id,
            agent_id=AGENT,
            status="Failed",
        )
    )
    return (
        decision
        + do(_tell(view, target.environment, target.revision, "failure", why=health.reason))
        + _release_slot(view, target.environment)
    )


def _escalate(target: Target, health: Health, view: View) -> Decision:
    told = p.Intervention(
        reason_code="RollbackNotAllowed",
        message=messages.rollback_not_allowed(target.environment, target.version, health.reason),
    )
    return record(
        draft(
            "ManualInterventionRequired", told, environment=target.environment, release_id=target.release_id
        )
    )


def roll_back(target: Target, reason: str, view: View, *, trigger: str, by: str | None = None) -> Decision:
    """Go back to the last known good release of the environment."""
    slot = view.slots.get(target.environment) or Slot(environment=target.environment)
    good = (
        current_release(slot)
        if trigger == "automatic"
        else (Target.model_validate(slot.previous_good) if slot.previous_good else None)
    )
    triggered = p.RollbackTriggered(
        environment=target.environment,
        release_id=target.release_id,
        version=target.version,
        revision=target.revision,
        to_version=good.version if good else None,
        reason=reason,
        trigger=trigger,
        by=by,
    )
    deployment = view.state.deployments.get(target.environment)
    undo = UndoRelease(
        purpose="rollback",
        agent_id=AGENT,
        strategy=deployment.strategy if deployment else "process",
        release=good,
        failed=target,
    )
    return record(
        draft(
            "RollbackTriggered",
            triggered,
            environment=target.environment,
            release_id=target.release_id,
            agent_id=AGENT,
            actor=by,
        )
    ) + do(undo)


@done("UndoRelease", "rollback")
def undone(action: p.ActionCompleted, view: View) -> Decision:
    """The rollback is done: the deployment has failed, recoverably."""
    good = action.request.get("release")
    return _undone(
        Target.model_validate(action.request["failed"]),
        Target.model_validate(good) if good else None,
        Health.model_validate(action.result),
        view,
    )


def _undone(target: Target, good: Target | None, health: Health, view: View) -> Decision:
    deployment = view.state.deployments.get(target.environment)
    if deployment is None or deployment.status != "rolling-back":
        return NOTHING
    back = good is not None and health.healthy
    reason = (
        messages.rolled_back(target.version, good.version)
        if good and back
        else messages.rollback_failed(target.version, health.reason)
    )
    decision = _failed(
        target,
        health.model_copy(update={"reason": reason}),
        deployment.attempt,
        view,
        good.version if good and back else None,
        recoverable=back,
        release=good.to_json() if good and back else {},
    )
    if good is not None and not back:
        told = p.Intervention(reason_code="RollbackFailed", message=reason)
        decision += record(draft("ManualInterventionRequired", told, environment=target.environment))
    return decision


def _release_slot(view: View, environment: str) -> Decision:
    slot = view.slots.get(environment)
    if slot is None or slot.waiting_trace is None or slot.waiting_release is None:
        return NOTHING
    data = {"environment": environment, "releaseId": slot.waiting_release}
    told = Draft(type="NodeUnblocked", environment=environment, release_id=slot.waiting_release, data=data)
    return Decision(
        messages=(Message(slot.waiting_trace, f"unblocked-{environment}-{slot.waiting_release}", told),)
    )
