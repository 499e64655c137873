"""Artefacts are a function of the events and of nothing else, for whatever events."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.event import Event
from bot.memory import project as projecting
from bot.memory.project import fold, project
from tests.memory import build
from tests.memory.build import Trace

Project = Callable[[Sequence[Event]], dict[str, str]]
ENVIRONMENTS = ("staging", "production")
MODULE = re.compile(r"(?<=/env-)([^/]+)/[^/]+/")
"""A trace may learn its module late."""
STEPS: tuple[Callable[[Trace, str], object], ...] = (
    lambda trace, _: build.module(trace),
    lambda trace, _: build.module(trace, complianceMode=True),
    lambda trace, _: build.commit(trace),
    lambda trace, _: build.change(trace),
    build.infrastructure,
    lambda trace, _: build.pipeline(trace),
    build.verdict,
    build.approve,
    lambda trace, where: build.decide(trace, where, "Approved"),
    lambda trace, where: build.decide(trace, where, "Delayed", reasons=["later"]),
    lambda trace, where: build.decide(trace, where, "Rejected"),
    lambda trace, _: build.merge(trace),
    build.start,
    lambda trace, where: build.tried(trace, where, 1, healthy=False, reason="\u00fc: #\x85 no"),
    build.complete,
    build.roll_back,
    lambda trace, where: trace.say("SprintPaused", {"environment": where, "reason": {"odd": 1}}),
    lambda trace, _: build.task(trace, f"task-{len(trace.events)}", "devops-engineer", "GeneratePipeline")(),
)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    trace = Trace(draw(st.sampled_from(["t-1", "trace-2", "..", "a/b", "\u00e9"])))
    steps = st.tuples(st.sampled_from(STEPS), st.sampled_from(ENVIRONMENTS))
    for step, where in draw(st.lists(steps, max_size=14)):
        step(trace, where)
    return trace


def ours(events: Sequence[Event]) -> dict[str, str]:
    if not events:
        return {}
    return project(fold(events[0].tenant_id, events[0].trace_id, events), events)


def check_function_of_the_events(trace: Trace, projected: Project) -> None:
    copies = [Event.model_validate_json(event.canonical()) for event in trace.events]
    assert projected(trace.events) == projected(copies)


def check_every_prefix(trace: Trace, projected: Project) -> None:
    """A log that has just begun is a log: nothing raises, and no file goes away again."""
    paths: set[str] = set()
    for end in range(len(trace.events) + 1):
        found = projected(trace.events[:end])
        names = {MODULE.sub(r"\1/", path) for path in found}
        assert paths <= names
        assert all(path.startswith("memory/trace-") and ".." not in path.split("/") for path in found)
        paths |= names


@settings(max_examples=60, deadline=None)
@given(trace=traces())
def test_the_same_events_are_the_same_bytes(trace: Trace) -> None:
    check_function_of_the_events(trace, ours)


@settings(max_examples=40, deadline=None)
@given(trace=traces())
def test_every_prefix_of_a_log_has_artefacts(trace: Trace) -> None:
    check_every_prefix(trace, ours)


def test_the_first_property_finds_a_hidden_input() -> None:
    calls = itertools.count()

    def planted(events: Sequence[Event]) -> dict[str, str]:
        return ours(events) | {"memory/trace-x/when.json": str(next(calls))}

    with pytest.raises(AssertionError):
        check_function_of_the_events(build.story(), planted)


def test_the_second_property_finds_an_artefact_that_needs_a_later_event() -> None:
    def planted(events: Sequence[Event]) -> dict[str, str]:
        deployed = [event for event in events if event.type == "DeploymentCompleted"]
        return ours(events) | {"memory/trace-x/url.json": deployed[0].data["url"]}

    with pytest.raises(IndexError):
        check_every_prefix(build.story(), planted)


def test_the_fold_beside_the_log_changes_nothing() -> None:
    # The log's fold carries its chain's hash; ours, made from events alone, does not.
    trace = build.story()
    assert project(trace.state.model_copy(update={"hash": "f" * 64}), trace.events) == trace.files()


def test_two_artefacts_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = build.story()
    twice = (*projecting.writers(), projecting.writers()[0])
    monkeypatch.setattr(projecting, "writers", lambda: twice)
    with pytest.raises(TypeError, match="two artefacts are called memory/trace-2025-05-23-0012/approvals"):
        trace.files()


def test_a_module_that_writes_nothing_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"bot.memory.text has no write\(state, events\)"):
        projecting._writer("bot.memory.text")
