"""What artefacts ask of a trace's events: by type, by environment, the first, the last, how long between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.domain.model import rfc3339
from bot.domain.release import release_id
from bot.domain.trace import TraceState
from bot.memory.layout import ALL, module_of


def head(state: TraceState, environment: str = ALL) -> dict[str, Any]:
    """What every artefact says first."""
    return {
        "traceId": state.trace_id,
        "moduleId": module_of(state),
        "environment": environment,
        "tenantId": state.tenant_id,
    }


def of(events: Iterable[Event], *types: str) -> list[Event]:
    """The events of these types, in order."""
    return [event for event in events if event.type in types]


def within(events: Iterable[Event], environment: str) -> list[Event]:
    """The events about one environment, in order."""
    return [event for event in events if environment_of(event) == environment]


def last(events: Sequence[Event], *types: str) -> Event | None:
    """The last event of these types."""
    return next((event for event in reversed(events) if event.type in types), None)


def after(events: Iterable[Event], mark: Event | None) -> list[Event]:
    """The events later in the trace than `mark`; all of them without one."""
    return [event for event in events if mark is None or event.sequence > mark.sequence]


def environments(events: Iterable[Event], *types: str) -> list[str]:
    """The environments that these types name, in the order of their first naming."""
    named = (environment_of(event) for event in of(events, *types))
    return list(dict.fromkeys(name for name in named if name))


def milliseconds(start: Event | None, end: Event | None) -> int | None:
    """Between two events; None while one of them is missing."""
    return round((end.time - start.time).total_seconds() * 1000) if start and end else None


def moment(event: Event | None) -> str | None:
    """When it happened, as text."""
    return rfc3339(event.time) if event else None


def text(value: object) -> str:
    """`value` where it is text; open payloads may hold anything."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, Any]:
    """`value` where it is a mapping, sorted: events from the log have their keys sorted, fresh ones not."""
    return {name: _ordered(value[name]) for name in sorted(value)} if isinstance(value, dict) else {}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return mapping(value)
    return [_ordered(part) for part in value] if isinstance(value, (list, tuple)) else value


def items(value: object) -> list[Any]:
    """`value` where it is a list."""
    return list(value) if isinstance(value, (list, tuple)) else []


def release_of(state: TraceState, event: Event) -> str:
    """The id of the release an event is about."""
    said = text(event.data.get("releaseId")) or event.release_id
    version, revision = text(event.data.get("version")) or state.version, text(event.data.get("revision"))
    return said or release_id(state.module_id, version, environment_of(event), revision)


def digest(event: Event) -> str:
    """SHA-256 of the event as the log keeps it: a reader can find it there, unchanged."""
    return f"sha256:{sha256(event.canonical()).hexdigest()}"
