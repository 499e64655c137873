"""`fsm/fsm-state.json`: where the trace's flow stands, what led there, what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.flows import load
from bot.flows.describe import waiting
from bot.flows.facts import facts_of
from bot.memory.layout import ALL, shared
from bot.memory.text import as_json
from bot.memory.trail import head, milliseconds, moment, of, text

AGENT_EVENTS = (
    "AgentTaskScheduled",
    "AgentTaskCompleted",
    "AgentTaskFailed",
    "TaskTimedOut",
    "AgentSkillFailed",
)
SHOWN = 10


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, once the flow has begun."""
    moved = of(events, "LifecyclePhaseAdvanced")
    if not moved:
        return
    flow = state.flow
    data = head(state, flow.environment or ALL) | {
        "flow": flow.flow,
        "fsmState": flow.state,
        "currentState": flow.state,
        "step": flow.step,
        "retries": flow.retries,
        "enteredAt": moment(moved[-1]),
        "lastTransition": _transition(moved[-1]),
        "timeSinceLastTransitionMs": milliseconds(moved[-1], events[-1]),
        "lastAgentEvents": [_agent_event(event) for event in of(events, *AGENT_EVENTS)[-SHOWN:]],
        "runningTasks": [_task(task) for task in flow.tasks.values()],
        "unmetConditions": _unmet(state),
        "checkpoints": [_transition(event) for event in moved],
        "escalated": bool(state.escalations),
        "updatedAt": moment(events[-1]),
    }
    yield shared(state, "fsm/fsm-state.json"), as_json(data)


def _transition(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "from": text(data.get("fromState")),
        "to": text(data.get("toState")),
        "on": text(data.get("trigger")),
        "step": data.get("step"),
        "at": moment(event),
        "sequence": event.sequence,
        "eventId": event.id,
    }


def _agent_event(event: Event) -> dict[str, Any]:
    return {
        "event": event.type,
        "agentId": event.agent_id or text(event.data.get("agent")),
        "skillId": event.skill_id or text(event.data.get("skill")),
        "taskId": text(event.data.get("taskId")) or event.task_id,
        "error": text(event.data.get("message")) if event.type != "AgentTaskCompleted" else "",
        "at": moment(event),
    }


def _task(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task.get(name) for name in ("taskId", "agent", "skill", "fsmState", "step", "retries")}


def _unmet(state: TraceState) -> list[dict[str, str]]:
    """What the flow waits for, then what stands in the way of each release that is not approved."""
    found = []
    if state.flow.flow in load.names():
        flow = load.definition(state.flow.flow)
        found = [
            {"condition": wait, "environment": ALL} for wait in waiting(flow, state.flow, facts_of(state))
        ]
    for name, release in state.releases.items():
        if release.verdict not in {"approved", "none"}:
            found += [{"condition": reason, "environment": name} for reason in release.reasons]
    return found
