"""`DeploymentSummary.json` per environment, `deployments/DeploymentHistory.json` (orchestrator)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.domain.trace import TraceState
from bot.memory.layout import scoped, shared
from bot.memory.text import as_json
from bot.memory.trail import (
    after,
    environments,
    head,
    items,
    last,
    mapping,
    milliseconds,
    moment,
    of,
    release_of,
    text,
    within,
)

ENDED = ("DeploymentCompleted", "DeploymentFailed")
EVENTS = ("DeploymentStarted", *ENDED, "RollbackTriggered")
ATTEMPTS = ("AgentActionCompleted", "AgentSkillFailed")
AGENT = "deployment-orchestrator"


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One summary per environment that was deployed to; one history."""
    for environment in environments(events, *EVENTS):
        summary = _summary(state, events, environment)
        yield scoped(state, environment, "DeploymentSummary.json"), as_json(summary)
    history = [_entry(state, events, event) for event in events if _is_told(event)]
    if history:
        data = head(state) | {"version": state.version, "history": history}
        yield shared(state, "deployments/DeploymentHistory.json"), as_json(data)


def _summary(state: TraceState, events: Sequence[Event], environment: str) -> dict[str, Any]:
    mine = within(events, environment)
    started = last(mine, "DeploymentStarted")
    current = after(mine, started)
    first_end, ended = next(iter(of(current, *ENDED)), None), last(current, *ENDED)
    completed, rollback = last(current, "DeploymentCompleted"), last(current, "RollbackTriggered")
    attempts = attempts_of(events, environment, started)
    about = started or ended or rollback
    assert about is not None  # the caller asks for environments that have one
    told = ended.data if ended else {}
    seen = _seen(told, attempts, completed)
    return head(state, environment) | {
        "agentId": AGENT,
        "releaseId": release_of(state, about),
        "version": text(about.data.get("version")) or state.version,
        "revision": text(about.data.get("revision")),
        "namespace": text(about.data.get("namespace")) or f"{state.tenant_id}-{environment}",
        "strategy": text(about.data.get("strategy")),
        "status": _status(started, ended, rollback),
        "attempt": max(told.get("attempt") or 1, *(a["attempt"] for a in attempts), 1),
        "startedAt": moment(started),
        "deployedAt": (text(completed.data.get("deployedAt")) or moment(completed)) if completed else None,
        "failedAt": moment(last(current, "DeploymentFailed")),
        "durationMs": milliseconds(started, first_end),
        "url": text(completed.data.get("url")) if completed else "",
        "pid": completed.data.get("pid") if completed else None,
        "healthStatus": items(seen.get("healthStatus")),
        "startupTimeMs": seen.get("startupTimeMs") or 0,
        "restarts": seen.get("restarts") or 0,
        "restartCount": seen.get("restarts") or 0,
        "reason": text(told.get("reason")) or text(seen.get("reason")),
        "recoverable": told.get("recoverable") is not False,
        "attempts": attempts,
        "failures": [attempt for attempt in attempts if not attempt["healthy"]],
        "rollbackActions": [_rollback(event, current) for event in of(current, "RollbackTriggered")],
        "previousVersion": started.data.get("previousVersion") if started else None,
    }


def _status(started: Event | None, ended: Event | None, rollback: Event | None) -> str:
    if rollback and (ended is None or ended.sequence < rollback.sequence):
        return "RollingBack"
    if ended is None:
        return "InProgress" if started else "Unknown"
    if ended.type == "DeploymentCompleted":
        return "Success"
    return "RolledBack" if ended.data.get("rolledBackTo") else "Failed"


def _seen(told: dict[str, Any], attempts: list[dict[str, Any]], completed: Event | None) -> dict[str, Any]:
    """The probes that decided: of the deployment itself, not of what was rolled back to."""
    if completed:
        return completed.data
    return attempts[-1] if attempts else told


def _is_told(event: Event) -> bool:
    return event.type in EVENTS or _is_attempt(event)


def _is_attempt(event: Event) -> bool:
    return event.type in ATTEMPTS and event.data.get("effect") == "ApplyRelease"


def _target(event: Event) -> dict[str, Any]:
    return mapping(mapping(event.data.get("request")).get("release"))


def attempts_of(events: Sequence[Event], environment: str, started: Event | None) -> list[dict[str, Any]]:
    """Each try of the running deployment: what its probes found, or why it could not be made."""
    found = []
    for event in after(events, started):
        if not _is_attempt(event) or _target(event).get("environment") != environment:
            continue
        data, request = event.data, mapping(event.data.get("request"))
        result = mapping(data.get("result"))
        found.append(
            {
                "attempt": request.get("attempt") or 1,
                "at": moment(event),
                "healthy": result.get("healthy") is True,
                "reason": text(result.get("reason")) or text(data.get("message")),
                "healthStatus": items(result.get("healthStatus")),
                "startupTimeMs": result.get("startupTimeMs") or 0,
                "restarts": result.get("restarts") or 0,
                "logTail": text(result.get("logTail")),
            }
        )
    return found


def _rollback(event: Event, current: Sequence[Event]) -> dict[str, Any]:
    ended = next(iter(after(of(current, *ENDED), event)), None)
    data = event.data
    return {
        "triggeredAt": moment(event),
        "trigger": text(data.get("trigger")),
        "by": data.get("by"),
        "reason": text(data.get("reason")),
        "fromVersion": text(data.get("version")),
        "toVersion": data.get("toVersion"),
        "rolledBackTo": ended.data.get("rolledBackTo") if ended else None,
        "healthStatus": items(ended.data.get("healthStatus")) if ended else [],
        "recoveryMs": milliseconds(event, ended),
    }


def _entry(state: TraceState, events: Sequence[Event], event: Event) -> dict[str, Any]:
    """One line of the history, in the shape of the structured log."""
    about = event
    data, environment = event.data, environment_of(event)
    if _is_attempt(event):
        request, result = mapping(data.get("request")), mapping(data.get("result"))
        data = _target(event) | {"attempt": request.get("attempt")} | result
        environment = text(data.get("environment"))
        about = event.model_copy(update={"data": data})
    earlier = [e for e in within(of(events, "DeploymentStarted"), environment) if e.sequence < event.sequence]
    return head(state, environment) | {
        "timestamp": moment(event),
        "agent": event.agent_id or AGENT,
        "event": event.type,
        "releaseId": release_of(state, about),
        "durationMs": milliseconds(earlier[-1], event)
        if earlier and event.type != "DeploymentStarted"
        else 0,
        "restartCount": data.get("restarts") or 0,
        "status": _entry_status(event),
        "version": text(data.get("version")) or state.version,
        "revision": text(data.get("revision")),
        "attempt": data.get("attempt") or 1,
        "reason": text(data.get("reason")) or text(event.data.get("message")),
        "user": event.actor or data.get("by"),
        "eventId": event.id,
    }


def _entry_status(event: Event) -> str:
    if _is_attempt(event):
        return "Healthy" if mapping(event.data.get("result")).get("healthy") is True else "Unhealthy"
    if event.type in ENDED:
        return _status(None, event, None)
    return {"DeploymentStarted": "Started"}.get(event.type, event.type)
