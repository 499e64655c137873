"""A moment that all releases of a repository wait for: one timer, every open trace once, nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.domain.decision import NOTHING, Decision, Timer
from bot.domain.event import Draft, Event
from bot.domain.view import View
from bot.engine import outbox, sweeps
from bot.engine.runtime import Runtime
from bot.log.tables import EVENTS
from tests.engine.rig import count, running, wait_for
from tests.engine.test_sweeps import module
from tests.log.facts import fact


def change(trace: str, number: int, state: str) -> list[Event]:
    said = {
        "repository": "acme/booking", "number": number, "url": "https://x", "title": "t", "author": "ada",
        "source": f"feature/{number}", "target": "main", "head": f"{number:040x}",
    }  # fmt: skip
    types = ["ChangeOpened", *(["ChangeClosed"] if state == "closed" else [])]
    return [
        fact(index, trace).model_copy(update={"type": type_, "data": said, "source": "webhooks/local"})
        for index, type_ in enumerate(types)
    ]


def woken(runtime: Runtime) -> list[str]:
    query = sa.select(EVENTS.c.trace_id).where(EVENTS.c.type == "TriggerRequested")
    with runtime.store.read() as session:
        return sorted(session.execute(query).scalars())


@pytest.mark.parametrize("too_soon", [0.0, 60.0], ids=["shared", "too soon to be shared"])
def test_every_open_trace_is_woken_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, too_soon: float
) -> None:
    monkeypatch.setattr(sweeps, "AT_ONCE", 3)  # so that eight traces take four looks
    monkeypatch.setattr(outbox, "TOO_SOON", too_soon)
    at = datetime.now(UTC) + timedelta(seconds=4)

    def decide(event: Event, _view: View) -> Decision:
        if event.type in {"TriggerRequested", "ChangeClosed"}:
            return NOTHING
        said = Draft(type="TriggerRequested", data={"reason": "a freeze changes", "timer": "freeze-1"})
        return Decision(timers=(Timer("freeze-1", at, said, shared=True),))

    with running(database_url, decide) as runtime:
        modules = [f"trace-{number}" for number in range(5)]
        told = [module(trace) for trace in modules]
        told += change("people-open", 1, "open") + change("people-closed", 2, "closed")
        told += [module("other", "acme/shop")]
        for number, one in enumerate(told):
            runtime.submit(one, one.source, str(number))
        wait_for(lambda: count(runtime.store, "events") >= len(told))
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        wanted = sorted([*modules, "people-open", "other"] + (["people-closed"] if too_soon else []))

        wait_for(lambda: len(woken(runtime)) >= len(wanted), 60.0)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert woken(runtime) == wanted
        assert datetime.now(UTC) >= at
