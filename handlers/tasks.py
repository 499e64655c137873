"""An agent's task: which one is running, how it fails, what becomes of an effect that will not succeed."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, record
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on

JUDGED_ELSEWHERE = frozenset({"ApplyRelease", "UndoRelease", "UpdateBranch", "MergeChange"})
"""Effects whose failure is a fact that the orchestrator or the release manager goes on from."""


BESIDE = frozenset({"PublishRelease", "OpenIssue", "LinkIssues", "PrepareEnvironment"})
"""Effects beside the delivery."""
NO_REPOSITORY = ("GatherFacts", "module", "NotFound")
"""Effect, purpose and reason of a submission whose repository is not there: perhaps it is made
(handlers/new_repository.py)."""


def running(view: View, agent: str, task_id: str | None) -> p.TaskScheduled | None:
    """The running task of an agent, or None when it has ended meanwhile (a late answer is nobody's)."""
    task = view.state.flow.tasks.get(task_id or "")
    return p.TaskScheduled.model_validate(task) if task and task["agent"] == agent else None


def failed(task: p.TaskScheduled, reason_code: str, message: str) -> Decision:
    """The agent gives its task back with a reason; trying the same again would end the same way."""
    ended = p.TaskEnded(
        task_id=task.task_id, agent=task.agent, skill=task.skill, reason_code=reason_code, message=message
    )
    return record(
        draft(
            "AgentTaskFailed",
            ended,
            agent_id=task.agent,
            skill_id=task.skill,
            task_id=task.task_id,
            status="Failed",
        )
    )


def _can_do_without(failure: p.SkillFailed) -> bool:
    """Whether a forge has no such thing beside the delivery, and says so in the table of what it can."""
    return failure.effect in BESIDE and failure.reason_code == "UnknownEffect"


@on("AgentSkillFailed")
def give_up(event: Event, view: View) -> Decision:
    """An effect that will not be tried again fails its task and goes to a person."""
    failure = read(event, p.SkillFailed)
    if not failure.exhausted or failure.effect in JUDGED_ELSEWHERE or _can_do_without(failure):
        return NOTHING
    if (failure.effect, failure.purpose, failure.reason_code) == NO_REPOSITORY:
        return NOTHING
    task = view.state.flow.tasks.get(failure.task_id or "")
    if task:  # the flow escalates what its task can not do
        return failed(p.TaskScheduled.model_validate(task), failure.reason_code, failure.message)
    told = p.Intervention(
        reason_code=failure.reason_code,
        message=messages.effect_failed(failure.effect, failure.attempt, failure.message),
        role="DevOpsEngineer",
        task_id=failure.task_id,
    )
    return record(draft("ManualInterventionRequired", told, task_id=failure.task_id))
