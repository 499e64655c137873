"""What a token of one agent may state: how a task given to this very agent has ended, and nothing else.

    {"type": "AgentTaskCompleted", "traceId": "trace-1", "data": {"taskId": "task-0a1b..."}}

The flow decides which fact ends a task: `done` and `error` of its invocation, or the agent's own word where
it names none. Of such facts an agent may state those in `FACTS`; verdicts, approvals, deployments and what a
forge tells stay the bot's, whatever a flow says. Whether the task runs is read from the log at the door.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from bot.domain.errors import Invalid
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.flows.load import definition, names
from bot.intake.envelope import Forbidden
from handlers.decide import registry

OWN_WORD = "AgentTaskCompleted"
ALWAYS = frozenset({"AgentTaskAcknowledged", "AgentTaskFailed"})
FACTS = frozenset({"TestsPassed", "TestsFailed", "InfraProvisioned"})
"""Facts that somebody outside may bring about as the work of a task."""
OF_THE_HEAD = frozenset({"TestsPassed", "TestsFailed"})
NOT_ITS_OWN = frozenset({"verdict"})
"""Fields by which the bot tells its own flows something."""


@cache
def built_in() -> frozenset[str]:
    """Agents whose work is done in here: nobody outside speaks for them."""
    return frozenset(agent for agent, _ in registry().skills)


def of_its_task(event: Event, agent: str, state: Callable[[str], TraceState]) -> Event:
    """The event as it is stored, bound to its task. Raises Forbidden and Invalid."""
    if agent in built_in():
        raise Forbidden(f"{agent} is built in: nobody outside speaks for it")
    if event.type not in {OWN_WORD, *ALWAYS, *FACTS}:
        raise Forbidden(f"a token of one agent may not state {event.type}")
    task_id = event.data.get("taskId") or event.task_id
    if not isinstance(task_id, str) or not task_id:
        raise Invalid("MissingField", "taskId is required: of which task is it the outcome?", path="taskId")
    trace = state(event.trace_id)
    task = trace.flow.tasks.get(task_id)
    if task is None or task["agent"] != agent:  # one answer: nobody learns of the tasks of others
        raise Forbidden(f"{agent} has no running task {task_id!r} in {event.trace_id!r}")
    if event.type not in ALWAYS and event.type not in _ends(task):
        raise Forbidden(f"the task {task_id!r} does not end with {event.type}")
    if event.type in OF_THE_HEAD and event.data["revision"] != trace.head:
        raise Forbidden(f"the task {task_id!r} is about the revision {trace.head}, and no other")
    return _bound(event, task)


def _ends(task: dict[str, Any]) -> frozenset[str]:
    """The events that its invocation waits for. Of a flow that has changed since, none."""
    invocation = definition(task["flow"]).invocation(task) if task["flow"] in names() else None
    if invocation is None:
        return frozenset()
    return frozenset(invocation.done or (OWN_WORD,)) | frozenset(invocation.error)


def _bound(event: Event, task: dict[str, Any]) -> Event:
    """Whose outcome it is comes from the task, never from the sender."""
    who = {"taskId": task["taskId"]}
    who |= {"agent": task["agent"], "skill": task["skill"]} if event.type in {OWN_WORD, *ALWAYS} else {}
    data = {name: value for name, value in event.data.items() if name not in NOT_ITS_OWN}
    return event.model_copy(
        update={
            "data": data | who,
            "task_id": task["taskId"],
            "agent_id": task["agent"],
            "skill_id": task["skill"],
        }
    )
