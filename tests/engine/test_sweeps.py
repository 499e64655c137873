"""One fact for many traces: all open ones of a repository, each once, however many; and those that were quiet
too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, Sweep
from bot.domain.event import Draft, Event
from bot.domain.view import View
from bot.engine import schedules, sweeps
from bot.engine.runtime import Runtime
from bot.log.tables import EVENTS
from handlers.on_push import on_sweep_goes_on
from tests.engine.rig import count, of, running, wait_for
from tests.log.facts import fact


def module(trace: str, repository: str = "acme/booking") -> Event:
    said = {"repository": repository, "moduleId": "booking", "version": "1.0.0"}
    return fact(0, trace).model_copy(update={"type": "ModuleGenerated", "data": said})


def decide(event: Event, view: View) -> Decision:
    if event.type == "TestsExecuted":
        asked = Draft(type="TriggerRequested", data={"reason": "policy-changed", "timer": "p1"})
        return Decision(sweeps=(Sweep("p1", "local", "acme/booking", asked),))
    return on_sweep_goes_on(event, view) if event.type == "TriggerRequested" else NOTHING


def reached(runtime: Runtime) -> set[str]:
    query = sa.select(EVENTS.c.body).where(EVENTS.c.type == "TriggerRequested")
    with runtime.store.read() as session:
        told = [Event.model_validate_json(bytes(body)) for body in session.execute(query).scalars()]
    traces = [event.trace_id for event in told if event.data["reason"] == "policy-changed"]
    assert len(traces) == len(set(traces)), "a trace was told twice"
    return set(traces)


def test_every_open_trace_of_the_repository_is_told_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "AT_ONCE", 3)  # so that ten traces take four transactions
    with running(database_url, decide) as runtime:
        mine = [f"trace-{number:02d}" for number in range(10)]
        for trace in mine:
            runtime.submit(module(trace), "tests", trace)
        runtime.submit(module("other", "acme/shop"), "tests", "other")
        wait_for(lambda: count(runtime.store, "events") == 11)

        runtime.submit(fact(1, "push"), "tests", "push")

        wait_for(lambda: len(reached(runtime)) >= 10)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert reached(runtime) == set(mine)


def test_a_quiet_open_change_is_reminded_and_a_lively_one_is_not(database_url: str) -> None:
    with running(database_url) as runtime:
        for trace in ("quiet", "lively"):
            change = p.PullRequestCreated(
                repository="acme/booking",
                number=1,
                url="http://forge/1",
                title="t",
                source="s",
                target="main",
                head="a" * 40,
            )
            said = draft("PullRequestCreated", change)
            long_ago = {"type": said.type, "data": said.data, "time": datetime(2026, 1, 1, tzinfo=UTC)}
            opened = fact(1, trace).model_copy(update=long_ago)
            runtime.submit(opened, "tests", trace)
        runtime.submit(fact(2, "lively").model_copy(update={"time": datetime.now(UTC)}), "tests", "lively-2")
        wait_for(lambda: count(runtime.store, "events") == 3)

        schedules.reconcile(runtime.wiring, datetime.now(UTC) + timedelta(seconds=1))

        wait_for(lambda: of(runtime.store, "quiet", "TriggerRequested"))
        told = of(runtime.store, "quiet", "TriggerRequested")
        assert [event.data["reason"] for event in told] == ["reconciliation"]
        assert of(runtime.store, "lively", "TriggerRequested") == []


def test_a_sweep_for_changes_reaches_those_that_are_open_and_no_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "AT_ONCE", 2)

    def moved(event: Event, view: View) -> Decision:
        if event.type == "TestsExecuted":
            asked = Draft(type="TriggerRequested", data={"reason": "policy-changed", "timer": "b1"})
            return Decision(sweeps=(Sweep("b1", "local", "acme/booking", asked, only_changes=True),))
        return decide(event, view)

    change = {"repository": "acme/booking", "author": "ada", "source": "s", "target": "main"}
    with running(database_url, moved) as runtime:
        for number in range(1, 7):
            opened = change | {"number": number, "head": f"{number}" * 40}
            runtime.submit(_said(f"open-{number}", "ChangeOpened", opened), "tests", f"open-{number}")
        gone = change | {"number": 1, "head": "1" * 40}
        runtime.submit(_said("open-1", "ChangeClosed", gone, 2), "tests", "closed")
        runtime.submit(_said("open-2", "ChangeMerged", _merged(change), 2), "tests", "merged")
        runtime.submit(module("without"), "tests", "without")
        wait_for(lambda: count(runtime.store, "events") == 9)

        runtime.submit(fact(1, "push"), "tests", "push")

        wait_for(lambda: len(reached(runtime)) >= 4)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert reached(runtime) == {"open-3", "open-4", "open-5", "open-6"}


def _said(trace: str, type_: str, data: dict[str, object], number: int = 1) -> Event:
    return fact(number, trace).model_copy(update={"type": type_, "data": data})


def _merged(change: dict[str, object]) -> dict[str, object]:
    return change | {"number": 2, "head": "2" * 40, "mergeSha": "m" * 40}
