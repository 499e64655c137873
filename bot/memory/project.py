"""All artefacts of a trace: each module of `artefacts/` has `write(state, events)`, yielding (path, text)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bot.domain.event import Event
from bot.domain.trace import TraceState, apply
from bot.memory import artefacts

Write = Callable[[TraceState, Sequence[Event]], Iterator[tuple[str, str]]]


@cache
def writers() -> tuple[Write, ...]:
    """Every artefact's writer. Raises TypeError for a module that has none."""
    names = sorted(module.name for module in iter_modules(artefacts.__path__))
    return tuple(_writer(f"{artefacts.__name__}.{name}") for name in names)


def _writer(module: str) -> Write:
    found: Write | None = getattr(import_module(module), "write", None)
    if found is None:
        raise TypeError(f"{module} has no write(state, events): a module of this folder is an artefact")
    return found


def fold(tenant_id: str, trace_id: str, events: Sequence[Event]) -> TraceState:
    """The state after these events, which are all of the trace's first ones."""
    state = TraceState(tenant_id=tenant_id, trace_id=trace_id)
    for event in events:
        state = apply(state, event)
    return state


def project(state: TraceState, events: Sequence[Event]) -> dict[str, str]:
    """Text by path, sorted. Raises TypeError when two artefacts claim one path."""
    found: dict[str, str] = {}
    for write in writers():
        for path, text in write(state, events):
            if path in found:
                raise TypeError(f"two artefacts are called {path}")
            found[path] = text
    return dict(sorted(found.items()))
