"""Where a flow stands: a fold over the events of its trace, independent of what the flow's definition says.

Transitions carry the step they lead to and tasks the step they belong to, so that a decision made on an
older state (two facts of one decision, each a reason to move on) is recorded but changes nothing: the first
wins.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.model import Model, Moment

ENDINGS = {"AgentTaskCompleted": "completed", "AgentTaskFailed": "failed", "TaskTimedOut": "timed-out"}
FOLLOWED = frozenset({"LifecyclePhaseAdvanced", "AgentTaskScheduled", *ENDINGS})
"""The types that move a flow or one of its tasks."""
Tasks = dict[str, dict[str, Any]]


class FlowState(Model):
    """State, visit and tasks of the one flow of a trace. All numbers are sequences of events in the trace."""

    flow: str = "delivery"
    state: str = ""
    """Empty: the flow has not begun."""
    step: int = 0
    """How many states were entered so far; the initial one is step 1."""
    retries: int = 0
    """Of the invocation scheduled last in this visit."""
    entered_at: Moment | None = None
    entered: int = 0
    """The transition that led here."""
    since: int = 0
    """The fact that led here; what came after it belongs to this visit, even if before `entered`."""
    environment: str = ""
    """Of the fact that led here, where it had one."""
    last: dict[str, int] = Field(default_factory=dict)
    """Event type, and `type@environment` (`type@` without one) -> its last occurrence in the trace."""
    previous: dict[str, int] = Field(default_factory=dict)
    """What `last` said before the last event, of its entries alone."""
    tasks: Tasks = Field(default_factory=dict)
    """taskId -> `TaskScheduled` payload of the running invocations, with `sequence` of that event."""
    ended: Tasks = Field(default_factory=dict)
    """taskId -> the same for ended ones of this visit, with `status` and `sequence` of the end."""

    @property
    def seen(self) -> tuple[str, ...]:
        """Types of all events of the trace so far."""
        return tuple(name for name in self.last if "@" not in name)

    def when(self, event: str, *, environment: str | None = None) -> int:
        """The last occurrence of a type, 0 for never. With an environment: in it, or in none."""
        if environment is None:
            return self.last.get(event, 0)
        return max(self.last.get(f"{event}@{environment}", 0), self.last.get(f"{event}@", 0))


def environment_of(event: Event) -> str:
    """The environment that a fact is about; empty when it is about none."""
    return str(event.environment or event.data.get("environment") or "")


def follow(flow: FlowState, event: Event) -> FlowState:
    """The flow's state after `event`. Pure."""
    update: dict[str, Any] = {}
    if event.type == "LifecyclePhaseAdvanced":
        update = _moved(flow, event)
    elif event.type == "AgentTaskScheduled":
        update = _scheduled(flow, event)
    elif event.type in ENDINGS:
        update = _ended(flow, event)
    now = dict.fromkeys((event.type, f"{event.type}@{environment_of(event)}"), event.sequence)
    previous = {name: flow.last.get(name, 0) for name in now}
    return flow.model_copy(update={"last": flow.last | now, "previous": previous} | update)


def _moved(flow: FlowState, event: Event) -> dict[str, Any]:
    said = read(event, p.PhaseAdvanced)
    same_flow = said.flow == flow.flow or not flow.state
    if not same_flow or said.from_state != flow.state or said.step != flow.step + 1:
        return {}
    return {
        "flow": said.flow,
        "state": said.to_state,
        "step": said.step,
        "retries": said.retries,
        "entered_at": event.time,
        "entered": event.sequence,
        "environment": environment_of(event),
        "since": event.sequence if said.trigger_sequence is None else said.trigger_sequence,
        "tasks": {name: task for name, task in flow.tasks.items() if not task["wait"]},
        "ended": {name: task for name, task in flow.ended.items() if _still_open(task)},
    }


def _still_open(task: dict[str, Any]) -> bool:
    """What failed alongside can still be tried again in a later state."""
    return not task["wait"] and task["status"] != "completed"


def _scheduled(flow: FlowState, event: Event) -> dict[str, Any]:
    task = read(event, p.TaskScheduled)
    late = task.wait and (task.fsm_state, task.step) != (flow.state, flow.step)
    if late or task.flow != flow.flow or task.task_id in flow.tasks or task.task_id in flow.ended:
        return {}
    data = task.to_json() | {"sequence": event.sequence}
    return {
        "tasks": without(flow.tasks, data) | {task.task_id: data},
        "ended": without(flow.ended, data),
        "retries": task.retries if task.wait else flow.retries,
    }


def same_invocation(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two tasks are attempts at the same invocation of the same visit."""
    return all(one[name] == other[name] for name in ("fsmState", "step", "agent", "skill"))


def without(tasks: Tasks, task: dict[str, Any]) -> Tasks:
    """`tasks` without earlier attempts at the invocation of `task`."""
    return {name: known for name, known in tasks.items() if not same_invocation(known, task)}


def _ended(flow: FlowState, event: Event) -> dict[str, Any]:
    """A running task ends; one that failed may still complete late, because what it did is done."""
    task_id = event.data["taskId"]
    status = ENDINGS[event.type]
    known = flow.tasks.get(task_id)
    if known is None and status == "completed" and flow.ended.get(task_id, {}).get("status") != "completed":
        known = flow.ended.get(task_id)
    if known is None:
        return {}
    running = {name: task for name, task in flow.tasks.items() if name != task_id}
    end = {"status": status, "sequence": event.sequence, "reasonCode": event.data.get("reasonCode", "")}
    if not event.data.get("retryable", True):
        end["retryable"] = False
    return {"tasks": running, "ended": flow.ended | {task_id: known | end}}
