"""The database was full or away when work wanted to write down its end: it is done again, and counts once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.exc import OperationalError

from bot.domain.decision import NOTHING, Decision, Timer
from bot.domain.effect import PostComment
from bot.domain.event import Draft, Event
from bot.domain.view import View
from bot.engine import effects, schedules, timers, unfinished
from bot.engine.runtime import Runtime
from tests.engine.rig import Performer, count, of, result, running, wait_for
from tests.log.facts import fact

ALL = (schedules.SWEEP, schedules.TIDY, schedules.RECONCILE, schedules.OBSERVE)


def full(*_: Any) -> None:
    raise OperationalError("INSERT", {}, Exception("database or disk is full"))


def failed() -> list[str]:
    return [w.workflow_id for w in DBOS.list_workflows(status="ERROR", load_input=False, load_output=False)]


def wants_comment(event: Event, _view: View) -> Decision:
    return Decision(effects=(PostComment(change=1, body="hi"),)) if event.type == "TestsExecuted" else NOTHING


def wants_timer(event: Event, _view: View) -> Decision:
    if event.type != "TestsExecuted":
        return NOTHING
    draft = Draft(type="TriggerRequested", data={"reason": "tests", "timer": "one"})
    return Decision(timers=(Timer("one", datetime.now(UTC) + timedelta(seconds=0.1), draft),))


def submitted(runtime: Runtime) -> None:
    runtime.submit(fact(1), "tests", "one")


def test_an_effect_that_could_not_be_recorded_is_done_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    performer = Performer(lambda _effect, _n: result("PostComment", comment_id="7"))
    record = effects._record
    monkeypatch.setattr(effects, "_record", full)
    # The sweep must not come in between: the test is one.
    monkeypatch.setattr(schedules, "crons", lambda _: dict.fromkeys(ALL, "0 0 1 1 *"))
    with running(database_url, wants_comment, performers={"local": performer}) as runtime:
        submitted(runtime)
        assert wait_for(failed) == ["acme/trace-1.000001.0"]
        assert unfinished.do_again(runtime.wiring) == 1
        wait_for(lambda: failed() == ["acme/trace-1.000001.0/again-1"])
        monkeypatch.setattr(effects, "_record", record)

        schedules.sweep(runtime.wiring, datetime.now(UTC))

        wait_for(lambda: of(runtime.store, "trace-1", "AgentActionCompleted"))
        assert unfinished.do_again(runtime.wiring) == 0
        assert count(runtime.store, "effect", "status = 'done'") == 1
        assert len(of(runtime.store, "trace-1", "AgentActionCompleted")) == 1
        assert len(performer.asked) == 3
        assert {effect_id for effect_id, *_ in performer.asked} == {"trace-1.000001.0"}


def test_a_timer_that_could_not_be_delivered_fires_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire = timers.fire
    monkeypatch.setattr(timers, "fire", full)
    monkeypatch.setattr(schedules, "crons", lambda _: dict.fromkeys(ALL, "0 0 1 1 *"))
    with running(database_url, wants_timer) as runtime:
        submitted(runtime)
        assert wait_for(failed) == ["timer/acme/trace-1/one"]
        monkeypatch.setattr(timers, "fire", fire)

        assert unfinished.do_again(runtime.wiring) == 1

        wait_for(lambda: of(runtime.store, "trace-1", "TriggerRequested"))
        assert failed() == []
        with runtime.store.read() as session:
            known = session.execute(sa.text("SELECT count(*) FROM inbox WHERE source = 'timer'")).scalar_one()
        assert known == 1


def test_what_fails_for_ever_is_left_alone_in_the_end() -> None:
    assert unfinished._next("acme/t.000001.0") == "acme/t.000001.0/again-1"
    assert unfinished._next("acme/t.000001.0/002/again-9") == "acme/t.000001.0/002/again-10"
    assert unfinished._next(f"acme/t.000001.0/again-{unfinished.MOST}") is None
