"""What must be true of a flow beyond its shape: names exist, states connect, an event means one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import ValidationError

from bot.domain.catalog import ALIASES, CATALOG
from bot.flows.facts import CONDITIONS
from bot.flows.model import Flow, State

OWN = frozenset({
    "LifecyclePhaseAdvanced", "AgentTaskScheduled", "AgentTaskCompleted", "AgentTaskFailed", "TaskTimedOut",
    "TaskEscalated", "TriggerRequested",
})  # fmt: skip
"""Events by which flows move; a flow that also listened to them would drive itself in circles."""


Path = tuple[str | int, ...]


class Finding(NamedTuple):
    """One mistake: the path of the word that is wrong, a sentence, and what was probably meant."""

    path: Path
    message: str
    suggestion: str = ""


def findings(flow: Flow) -> list[Finding]:
    """All mistakes of a flow whose shape is right, in the order of its text."""
    found = list(_targets(flow))
    for name, state in flow.states.items():
        found += [Finding(("states", name, *f.path), f.message, f.suggestion) for f in _state(name, state)]
    found += [Finding(("start", i), *_event(event)) for i, event in enumerate(flow.start) if _event(event)]
    return found or list(_reach(flow))


def _close(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(known), n=1)), "")


def _targets(flow: Flow) -> Iterator[Finding]:
    uses: list[tuple[Path, str]] = [(("initial",), flow.initial)]
    for name, state in flow.states.items():
        uses += [(("states", name, *path), target) for path, target in state.targets().items()]
    for path, target in uses:
        if target not in flow.states:
            yield Finding(path, f"{target!r} is not a state of this flow", _close(target, flow.states))


def _event(name: str) -> tuple[str, str] | tuple[()]:
    if name in OWN:
        return (f"{name} is how flows themselves move; a flow can not wait for it", "")
    if name in CATALOG:
        return ()
    known = ALIASES.get(name) or _close(name, CATALOG)
    return (f"{name!r} is not an event type of the catalogue", known)


def _state(name: str, state: State) -> Iterator[Finding]:
    yield from _events(state)
    yield from _conditions(state)
    yield from _answers(state)
    yield from _shape(name, state)


def _named_events(state: State) -> Iterator[tuple[Path, str]]:
    for event in state.on:
        yield ("on", event), event
    for index, wait in enumerate(state.all):
        yield from ((("all", index, "event"), event) for event in wait.event)
        yield from ((("all", index, "until"), event) for event in wait.until)
    for index, invocation in enumerate(state.invoke):
        yield from ((("invoke", index, "done"), event) for event in invocation.done)
        yield from ((("invoke", index, "error"), event) for event in invocation.error)


def _events(state: State) -> Iterator[Finding]:
    for path, event in _named_events(state):
        wrong = _event(event)
        if wrong:
            yield Finding(path, *wrong)
    said = state.timeout.event if state.timeout else None
    if said and said not in CATALOG:
        yield Finding(("timeout", "event"), *_event(said))
    elif said and not _sayable(said):
        yield Finding(
            ("timeout", "event"), f"a timeout can not say {said}: its payload needs more than a flow knows"
        )


def _sayable(event: str) -> bool:
    try:
        CATALOG[event].payload.model_validate({"reasonCode": "", "message": ""})
    except ValidationError:
        return False
    return event not in OWN


def _conditions(state: State) -> Iterator[Finding]:
    named = {"onDone": state.on_done, "onError": state.on_error, "onRetry": state.on_retry}
    uses: list[tuple[Path, str | None]] = [((word,), way.when) for word, way in named.items() if way]
    uses += [(("on", event), transition.when) for event, transition in state.on.items()]
    uses += [(("all", index), wait.when) for index, wait in enumerate(state.all)]
    uses += [(("invoke", index), invocation.when) for index, invocation in enumerate(state.invoke)]
    for path, when in uses:
        word = (when or "").removeprefix("not ")
        if when is not None and word not in CONDITIONS:
            close = _close(word, CONDITIONS) or "one of " + ", ".join(CONDITIONS)
            yield Finding((*path, "when"), f"{when!r} is not a condition", close)


def _answers(state: State) -> Iterator[Finding]:
    """An event may mean one thing in one state."""
    for index, invocation in enumerate(state.invoke):
        for word, events in (("done", invocation.done), ("error", invocation.error)):
            for event in events:
                if invocation.wait and event in state.on:
                    twice = f"{event} also ends {invocation.agent} here: two transitions of one event"
                    yield Finding(("on", event), twice)
                if word == "error" and event in invocation.done:
                    yield Finding(("invoke", index, "error"), f"{event} can not mean both done and error")
    for key, count in Counter((i.agent, i.skill) for i in state.invoke).items():
        if count > 1:
            yield Finding(("invoke",), f"{key[0]} {key[1]} is invoked twice by one state")


def _shape(name: str, state: State) -> Iterator[Finding]:
    agents = ", ".join(invocation.agent for invocation in state.awaited)
    rules: dict[tuple[str, ...], tuple[bool, str]] = {
        (): (
            not any(target != name for target in state.targets().values()),
            f"{name} can not be left: it has no transition to another state, and is not final",
        ),
        ("onDone",): (
            bool(state.on_done and not state.awaited and not state.all),
            f"{name} waits for nothing, so onDone says nothing: invoke a skill or use `all`",
        ),
        ("onError",): (
            bool(state.on_error and not state.awaited),
            f"{name} awaits no invocation that could fail",
        ),
        ("invoke",): (
            bool(state.awaited and not state.on_done),
            f"{name} awaits {agents} and does not say where to go then (onDone)",
        ),
        ("onRetry",): (
            bool(state.on_retry and state.invoke),
            f"{name} invokes skills: a retry invokes them again and goes nowhere",
        ),
        ("retry",): (bool(state.retry and not state.invoke), f"{name} invokes nothing that could be retried"),
    }
    if state.final:
        rules = {
            ("final",): (
                state.model_fields_set != {"final"},
                f"{name} is final: nothing else can happen there",
            )
        }
    yield from (Finding(path, message) for path, (broken, message) in rules.items() if broken)
    yield from _timeout(name, state)


def _timeout(name: str, state: State) -> Iterator[Finding]:
    timeout = state.timeout
    if timeout and timeout.target and timeout.event:
        yield Finding(("timeout",), "a timeout leads to a target or says an event, not both")
    if timeout and not timeout.target and not timeout.event and not state.invoke:
        yield Finding(("timeout",), f"{name} invokes nothing that could time out: say a target or an event")


def _reach(flow: Flow) -> Iterator[Finding]:
    reached, open_ = {flow.initial}, [flow.initial]
    while open_:
        for target in flow.states[open_.pop()].targets().values():
            if target not in reached:
                reached.add(target)
                open_.append(target)
    for name in flow.states:
        if name not in reached:
            yield Finding(("states", name), f"{name} can not be reached from {flow.initial}")
