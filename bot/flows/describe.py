"""A flow in words: `describe(flow)` is the picture in the docs, `waiting(...)` what a trace waits for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.flow_state import FlowState
from bot.flows.advance import missing
from bot.flows.facts import Facts
from bot.flows.model import Flow, Invocation, State, Transition, Wait


def describe(flow: Flow) -> list[str]:
    """One paragraph per state, in the order of the file."""
    begins = ", ".join((*flow.start, *flow.states[flow.initial].on))
    lines = [f"{flow.flow}, version {flow.version}; begins in {flow.initial} on {begins}"]
    for name, state in flow.states.items():
        lines += ["", f"{name} (end)" if state.final else name, *(f"  {line}" for line in _state(state))]
    return lines


def waiting(flow: Flow, state: FlowState, facts: Facts) -> tuple[str, ...]:
    """What must happen before the state goes on: events, then running agents. Empty in the end."""
    node = flow.states.get(state.state)
    if node is None or node.final:
        return ()
    events = tuple(_wait(wait) for wait in missing(node, state, facts))
    agents = tuple(task["agent"] for task in state.tasks.values() if task["wait"])
    return events + agents or tuple(node.on)


def _state(state: State) -> Iterator[str]:
    if state.scope:
        yield f"about one {state.scope}"
    if state.all:
        yield "waits for " + ", and ".join(_wait(wait) + _when(wait.when) for wait in state.all)
    for invocation in state.invoke:
        yield _invocation(invocation)
    if state.retry:
        yield f"tries again {state.retry.limit} times"
    if state.timeout and not state.timeout.target and not state.timeout.event:
        yield f"gives each {_duration(state.timeout.after)}"
    yield from _ways(state)


def _ways(state: State) -> Iterator[str]:
    ways = [("done", state.on_done), ("error", state.on_error), ("retry", state.on_retry), *state.on.items()]
    for word, way in ways:
        if way:
            yield f"{word} -> {_target(way)}"
    timeout = state.timeout
    if timeout and (timeout.target or timeout.event):
        yield f"after {_duration(timeout.after)} -> {timeout.target or f'says {timeout.event}'}"


def _target(way: Transition) -> str:
    return way.target + _when(way.when)


def _wait(wait: Wait) -> str:
    undone = f" (not undone by {' or '.join(wait.until)})" if wait.until else ""
    return " or ".join(wait.event) + undone


def _when(condition: str | None) -> str:
    return f" [{condition}]" if condition else ""


def _invocation(invocation: Invocation) -> str:
    verb = "invokes" if invocation.wait else "alongside invokes"
    done = f" until {' or '.join(invocation.done)}" if invocation.done else ""
    error = f", or {' or '.join(invocation.error)}" if invocation.error else ""
    retry = f", tries again {invocation.retry.limit} times" if invocation.retry else ""
    limit = f", within {_duration(invocation.timeout)}" if invocation.timeout else ""
    said = f"{verb} {invocation.agent} {invocation.skill}"
    return said + _when(invocation.when) + done + error + retry + limit


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    parts = (
        (seconds // 86400, "d"),
        (seconds % 86400 // 3600, "h"),
        (seconds % 3600 // 60, "m"),
        (seconds % 60, "s"),
    )
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
