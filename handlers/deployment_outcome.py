"""What became of a deployment: completed, tried again, rolled back, or left to a person (seed 003, rollback
flow).

Apply -> probe -> all pass? `DeploymentCompleted`. Else again while the policy's retries last, then
`RollbackTriggered` and
`DeploymentFailed`, recoverable when the last known good release runs again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Message, do, record
from bot.domain.effect import ApplyRelease, Health, Target
from bot.domain.event import Draft, Event
from bot.domain.model import rfc3339
from bot.domain.view import View
from handlers.declare import done, on
from handlers.evaluation import paused
from handlers.rollback import roll_back
from handlers.targets import ORCHESTRATOR, last_environment, tell_forge


@dataclass(frozen=True)
class Outcome:
    """One attempt's end."""

    target: Target
    health: Health
    attempt: int
    task_id: str | None = None

    @property
    def context(self) -> dict[str, Any]:
        """What every event about it carries."""
        return {
            "environment": self.target.environment,
            "release_id": self.target.release_id,
            "agent_id": ORCHESTRATOR,
            "skill_id": "DeployRelease",
            "task_id": self.task_id,
        }


@done("ApplyRelease", "deploy")
def applied(action: p.ActionCompleted, view: View) -> Decision:
    """The strategy has made the release run, or tried to, and has probed it."""
    release = Target.model_validate(action.request["release"])
    attempt = int(action.request.get("attempt", 1))
    return _judge(Outcome(release, Health.model_validate(action.result), attempt, action.task_id), view)


@on("AgentSkillFailed")
def could_not_apply(event: Event, view: View) -> Decision:
    """A deployment that could not even be tried counts as an unhealthy one."""
    failure = read(event, p.SkillFailed)
    if failure.effect != "ApplyRelease" or not failure.exhausted:
        return NOTHING
    release = Target.model_validate(failure.request["release"])
    health = Health(healthy=False, reason=failure.message)
    return _judge(Outcome(release, health, int(failure.request.get("attempt", 1)), failure.task_id), view)


def _judge(outcome: Outcome, view: View) -> Decision:
    target = outcome.target
    deployment = view.state.deployments.get(target.environment)
    if deployment is None or deployment.status != "started" or deployment.release_id != target.release_id:
        return NOTHING  # a late answer of a deployment that has ended
    if outcome.health.healthy:
        return _completed(outcome, view)
    if outcome.attempt <= deployment.retries and not paused(view, target.environment):
        return do(
            ApplyRelease(
                purpose="deploy",
                task_id=outcome.task_id,
                agent_id=ORCHESTRATOR,
                strategy=deployment.strategy,
                release=target,
                attempt=outcome.attempt + 1,
            )
        )
    if not deployment.rollback_allowed:
        more = {"recoverable": False, "log_tail": outcome.health.log_tail}
        return failed(outcome, view, more) + _escalate(outcome)
    tail = outcome.health.log_tail
    return roll_back(target, outcome.health.reason, view, trigger="automatic", log_tail=tail)


def _completed(outcome: Outcome, view: View) -> Decision:
    target = outcome.target
    ended = _ended(outcome, view, {"release": target.to_json()})
    decision = record(draft("DeploymentCompleted", ended, status="Success", **outcome.context))
    if last_environment(view, target.environment):
        out = p.ReleaseVerdict(
            environment=target.environment,
            revision=target.revision,
            version=target.version,
            module_id=target.module_id,
        )
        decision += record(draft("ReleasePublished", out, **outcome.context))
    told = tell_forge(view, target, "success", url=outcome.health.url)
    return decision + do(told) + free(view, target.environment)


def failed(outcome: Outcome, view: View, more: dict[str, Any]) -> Decision:
    """The deployment has ended without the release running."""
    ended = _ended(outcome, view, more)
    told = tell_forge(view, outcome.target, "failure", why=outcome.health.reason)
    return (
        record(draft("DeploymentFailed", ended, status="Failed", **outcome.context))
        + do(told)
        + free(view, outcome.target.environment)
    )


def _ended(outcome: Outcome, view: View, more: dict[str, Any]) -> p.DeploymentEnded:
    target, health = outcome.target, outcome.health
    deployment = view.state.deployments.get(target.environment)
    return p.DeploymentEnded(
        environment=target.environment,
        release_id=target.release_id,
        revision=target.revision,
        version=target.version,
        strategy=deployment.strategy if deployment else "",
        attempt=outcome.attempt,
        url=health.url,
        pid=health.pid,
        deployed_at=rfc3339(view.now),
        health_status=health.health_status,
        startup_time_ms=health.startup_time_ms,
        restarts=health.restarts,
        reason=health.reason,
        **more,
    )


def _escalate(outcome: Outcome) -> Decision:
    target = outcome.target
    message = messages.rollback_not_allowed(target.environment, target.version, outcome.health.reason)
    told = p.Intervention(reason_code="RollbackNotAllowed", message=message)
    return record(draft("ManualInterventionRequired", told, **outcome.context))


def free(view: View, environment: str) -> Decision:
    """The environment is free: tell the release that waits for it."""
    slot = view.slots.get(environment)
    if slot is None or slot.waiting_trace is None or slot.waiting_release is None:
        return NOTHING
    data = {"environment": environment, "releaseId": slot.waiting_release}
    told = Draft(type="NodeUnblocked", environment=environment, release_id=slot.waiting_release, data=data)
    name = f"unblocked-{environment}-{slot.waiting_release}-by-{view.state.trace_id}-{view.state.sequence}"
    return Decision(messages=(Message(slot.waiting_trace, name, told),))


@done("UndoRelease", "rollback")
def undone(action: p.ActionCompleted, view: View) -> Decision:
    """The rollback is done, well or badly; it is never rolled back itself."""
    good = action.request.get("release")
    return _after_rollback(
        Target.model_validate(action.request["failed"]),
        Target.model_validate(good) if good else None,
        Health.model_validate(action.result),
        view,
    )


@on("AgentSkillFailed")
def could_not_undo(event: Event, view: View) -> Decision:
    """The rollback itself could not be done: nothing is known to run."""
    failure = read(event, p.SkillFailed)
    if failure.effect != "UndoRelease" or not failure.exhausted:
        return NOTHING
    target = Target.model_validate(failure.request["failed"])
    good = failure.request.get("release")
    known = Target.model_validate(good) if good else None
    return _after_rollback(target, known, Health(healthy=False, reason=failure.message), view)


def _after_rollback(target: Target, good: Target | None, health: Health, view: View) -> Decision:
    deployment = view.state.deployments.get(target.environment)
    if deployment is None or deployment.status != "rolling-back":
        return NOTHING
    if good is not None and health.healthy:
        reason = messages.rolled_back(target.version, good.version)
        more: dict[str, Any] = {"rollback": "done", "rolled_back_to": good.version, "release": good.to_json()}
    else:
        reason = messages.rollback_failed(target.version, health.reason)
        more = {"rollback": "failed", "recoverable": False}
    outcome = Outcome(target, health.model_copy(update={"reason": reason}), deployment.attempt)
    decision = failed(outcome, view, more)
    if not (good is not None and health.healthy):
        told = p.Intervention(reason_code="RollbackFailed", message=reason)
        decision += record(draft("ManualInterventionRequired", told, **outcome.context))
    return decision
