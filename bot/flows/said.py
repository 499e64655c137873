"""What a flow says: each function makes the drafts (or the timer) of one thing that happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import CATALOG, draft
from bot.domain.decision import Timer
from bot.domain.event import Draft, Event, derived_id
from bot.domain.flow_state import FlowState
from bot.flows.facts import Facts
from bot.flows.model import Flow, Invocation

Task = dict[str, Any]


@dataclass(frozen=True)
class Advance:
    """Facts to record and moments to look again. Empty is false; `+` joins in order."""

    drafts: tuple[Draft, ...] = ()
    timers: tuple[Timer, ...] = ()

    def __add__(self, other: Advance) -> Advance:
        return Advance(self.drafts + other.drafts, self.timers + other.timers)

    def __bool__(self) -> bool:
        return bool(self.drafts or self.timers)


NOTHING = Advance()


def component_tag(agent: str, skill: str) -> str:
    """`{AgentType}:{Task}`, for example `CodeCommitterAgent:CommitModule`."""
    words = ("DevOps" if word == "devops" else word.capitalize() for word in agent.split("-"))
    return f"{''.join(words)}Agent:{skill}"


def _context(task: p.TaskScheduled, status: str) -> dict[str, str]:
    return {
        "agent_id": task.agent,
        "skill_id": task.skill,
        "task_id": task.task_id,
        "session_id": f"session-{task.task_id.removeprefix('task-')}",
        "component_tag": component_tag(task.agent, task.skill),
        "status": status,
    }


def move(flow: Flow, state: FlowState, target: str, trigger: tuple[int, str], environment: str) -> Advance:
    """The flow goes to `target`, because of the fact `trigger` (sequence, type)."""
    sequence, event = trigger
    advanced = p.PhaseAdvanced(
        flow=flow.flow,
        from_state=state.state,
        to_state=target,
        step=state.step + 1,
        trigger=event,
        trigger_sequence=sequence,
    )
    context = {
        "environment": environment or None,
        "status": "Completed" if flow.states[target].final else "Advanced",
    }
    return Advance((draft("LifecyclePhaseAdvanced", advanced, **context),))


def schedule(flow: Flow, state: FlowState, invocation: Invocation, facts: Facts) -> Advance:
    """The first attempt at an invocation in this visit."""
    task = p.TaskScheduled(
        task_id="",
        agent=invocation.agent,
        skill=invocation.skill,
        fsm_state=state.state,
        step=state.step,
        flow=flow.flow,
        trace_id=facts.trace_id,
        tenant_id=facts.tenant_id,
        module_id=facts.module_id,
        wait=invocation.wait,
    )
    return _scheduled(task)


def again(task: Task) -> Advance:
    """One more attempt, under an id of its own."""
    of_the_attempt = {"sequence", "status", "reasonCode", "retryable"}
    before = {name: value for name, value in task.items() if name not in of_the_attempt}
    return _scheduled(p.TaskScheduled.model_validate(before | {"retries": task["retries"] + 1}))


def _scheduled(task: p.TaskScheduled) -> Advance:
    """The id says which attempt of which visit it is: whoever decides again schedules the same task."""
    visit = (task.tenant_id, task.trace_id, task.flow, task.fsm_state, str(task.step))
    parts = (*visit, task.agent, task.skill, str(task.retries))
    task = task.model_copy(update={"task_id": f"task-{derived_id(*parts)[:16]}"})
    return Advance((draft("AgentTaskScheduled", task, **_context(task, "Scheduled")),))


def _ended(type_: str, status: str, task: Task, **more: Any) -> Advance:
    scheduled = p.TaskScheduled.model_validate(task)
    ended = p.TaskEnded(task_id=scheduled.task_id, agent=scheduled.agent, skill=scheduled.skill, **more)
    return Advance((draft(type_, ended, **_context(scheduled, status)),))


def completed(task: Task, by: str) -> Advance:
    """The fact that a task was to bring about is there."""
    return _ended("AgentTaskCompleted", "Completed", task, message=f"{by} is there")


def answered_no(task: Task, by: str) -> Advance:
    """A negative answer. It is no mishap: trying again would not change it."""
    answer = {"reason_code": by, "message": f"{task['agent']} answered {by}", "verdict": by}
    return _ended("AgentTaskFailed", "Failed", task, retryable=False, **answer)


def timed_out(task: Task) -> Advance:
    """A task has taken longer than it may."""
    message = f"{task['agent']} did not finish {task['skill']} in time"
    return _ended("TaskTimedOut", "TimedOut", task, reason_code="TaskTimedOut", message=message)


def escalated(task: Task, failure: Event) -> Advance:
    """No attempt is left: a person must act."""
    scheduled = p.TaskScheduled.model_validate(task)
    why = str(failure.data.get("message") or "no reason was given")
    told = p.Intervention(
        reason_code=str(failure.data.get("reasonCode") or failure.type),
        message=f"{scheduled.agent} could not do {scheduled.skill}: {why}",
        task_id=scheduled.task_id,
    )
    return Advance((draft("TaskEscalated", told, **_context(scheduled, "Escalated")),))


def late(state: FlowState, event: str) -> Advance:
    """The state was not left in time, which is said with the event that the flow names for it."""
    data = {
        "flow": state.flow,
        "state": state.state,
        "step": state.step,
        "reasonCode": "StateTimeout",
        "message": f"{state.state} was not left in time",
    }
    payload = CATALOG[event].payload.model_validate(data)
    return Advance((draft(event, payload, environment=state.environment or None, status="Late"),))


def wake(
    state: FlowState, event: Event, reason: str, after: timedelta, task: p.TaskScheduled | None = None
) -> Advance:
    """Look again `after` the event. The name makes the same wish be set once."""
    about = task.task_id if task else f"{state.state}/{state.step}"
    timer = f"{state.flow}/{about}/{reason}"
    asked = p.TriggerRequested(
        reason=reason, timer=timer, task_id=task.task_id if task else None, step=state.step
    )
    trigger = draft("TriggerRequested", asked, task_id=asked.task_id)
    return Advance(timers=(Timer(asked.timer, event.time + after, trigger),))
