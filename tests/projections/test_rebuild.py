"""The read models are what the log says: dropped and made anew they are the same, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.decision import NOTHING, Decision, record
from bot.domain.event import Draft, Event
from bot.domain.view import View
from bot.engine.runtime import Runtime
from bot.intake.arrivals import Arrival, shard_of
from bot.log.tables import HEADS
from bot.projections.locks import LOCKS
from bot.projections.rebuild import Unsound, rebuild
from bot.projections.slots import SLOTS
from bot.projections.trace_keys import KEYS
from tests.engine.rig import count, running, signed, wait_for
from tests.log.facts import fact

V1 = {"namespace": "acme", "strategy": "process", "releaseId": "r1", "version": "1.0.0", "revision": "a" * 40}
V2 = {"namespace": "acme", "strategy": "process", "releaseId": "r2", "version": "2.0.0", "revision": "b" * 40}
CODE = {
    "repository": "acme/booking",
    "moduleId": "booking",
    "version": "1.0.0",
    "forge": "local",
    "files": [],
}
CHANGE = {"repository": "acme/booking", "number": 7, "source": "agent/booking", "head": "a" * 40}
PUSHED = {"repository": "acme/booking", "before": "0" * 40, "pusher": "ada"}
STUCK = 3
TABLES = (HEADS, SLOTS, LOCKS, KEYS)
LOCKED = {"forge": "local", "repository": "acme/booking"}


def decide(event: Event, _view: View) -> Decision:
    """A commit follows a module, so that some of the history is the engine's own."""
    if event.data.get("number") == STUCK:
        raise LookupError("a decision with a bug")
    if event.type != "ModuleGenerated":
        return NOTHING
    sha = ("a" if event.trace_id == "trace-1" else "b") * 40
    commit = {
        "repository": "acme/booking",
        "branch": "agent/booking",
        "sha": sha,
        "moduleId": "booking",
        "version": "1.0.0",
    }
    return record(Draft(type="CommitReady", data=commit))


def settled(runtime: Runtime) -> None:
    wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)


def tell(
    runtime: Runtime, nth: int, type_: str, trace: str = "trace-1", by: str = "tests", **data: Any
) -> None:
    runtime.submit(fact(nth, trace, type=type_, source=by, data=data), "tests", f"{trace}-{nth}")
    settled(runtime)


def deliver(runtime: Runtime, delivery_id: str, **said: Any) -> None:
    body = json.dumps(said).encode()
    shard, headers = (
        shard_of("local:acme/booking", runtime.settings.shards),
        json.dumps(signed(body, delivery_id)),
    )
    runtime.inbox.receive([Arrival("acme", "webhooks/local", "delivery", delivery_id, body, shard, headers)])
    settled(runtime)


def history(runtime: Runtime) -> None:
    """Two traces of one module, one that a forge began; deployments, a rollback, a branch that went and came."""
    forge = "webhooks/local"
    deliver(runtime, "d1", branch="feature/x", number=1)
    tell(runtime, 1, "ModuleGenerated", **CODE)
    tell(runtime, 2, "ChangeOpened", by=forge, **CHANGE, author="ada", target="main")
    tell(runtime, 3, "DeploymentStarted", environment="production", **V1)
    tell(runtime, 4, "DeploymentCompleted", environment="production", **V1, release=V1)
    tell(runtime, 1, "ModuleGenerated", "trace-2", **CODE)  # takes the branch over
    tell(runtime, 2, "DeploymentStarted", "trace-2", environment="production", **V2)
    tell(runtime, 3, "RollbackTriggered", "trace-2", environment="production", **V2, toVersion="1.0.0")
    tell(
        runtime,
        4,
        "DeploymentFailed",
        "trace-2",
        environment="production",
        **V2,
        rolledBackTo="1.0.0",
        release=V1,
    )
    tell(runtime, 5, "Pushed", by=forge, **PUSHED, branch="feature/y", after="c" * 40)
    tell(runtime, 6, "BranchDeleted", by=forge, **PUSHED, branch="feature/y")
    tell(runtime, 5, "Pushed", "trace-2", by=forge, **PUSHED, branch="feature/y", after="d" * 40)
    deliver(runtime, "d2", branch="feature/x", number=2)
    locked, opened = "pointsman.EnvironmentLocked", "pointsman.EnvironmentUnlocked"
    tell(runtime, 7, locked, "trace-2", **LOCKED, environment="production", reason="migration")
    tell(runtime, 8, locked, "trace-2", **LOCKED, environment="staging", reason="over soon")
    tell(runtime, 9, opened, "trace-2", **LOCKED, environment="staging")


def snapshot(runtime: Runtime) -> dict[str, list[dict[str, Any]]]:
    with runtime.store.read() as session:
        return {
            table.name: sorted((dict(row) for row in session.execute(sa.select(table)).mappings()), key=repr)
            for table in TABLES
        }


@pytest.fixture
def told(database_url: str) -> Iterator[Runtime]:
    with running(database_url, decide) as runtime:
        history(runtime)
        assert count(runtime.store, "inbox", "done = 2") == 0
        yield runtime


def drop(runtime: Runtime) -> None:
    with runtime.store.begin() as session:
        for table in TABLES:
            session.execute(sa.delete(table))


def test_dropped_and_made_anew_they_are_the_same(told: Runtime) -> None:
    before = snapshot(told)
    assert {name: len(rows) for name, rows in before.items()} == {
        "head": 3,
        "slot": 1,
        "environment_lock": 1,
        "trace_key": 8,
    }
    owners = {row["key"].removeprefix("local:acme/booking"): row["trace"] for row in before["trace_key"]}
    assert (owners["@agent/booking"], owners["@feature/y"]) == ("trace-2", "trace-2")
    assert owners["@feature/x"] not in {"trace-1", "trace-2"}  # known from a delivery's hint alone
    drop(told)
    with told.store.begin() as session:
        made = rebuild(session, told.forges)
    assert made == {"events": 18, "traces": 3, "slots": 1, "locks": 1, "keys": 8}
    assert snapshot(told) == before


def test_wrong_rows_are_put_right_and_the_bot_goes_on(told: Runtime) -> None:
    before = snapshot(told)
    with told.store.begin() as session:
        session.execute(sa.update(SLOTS).values(body="{}"))
        session.execute(sa.update(KEYS).values(trace="trace-9"))
        session.execute(sa.update(HEADS).values(state="{}", sentence="lies"))
        rebuild(session, told.forges)
    assert snapshot(told) == before
    tell(told, 9, "TestsExecuted")
    assert count(told.store, "events", "trace_id = 'trace-1'") == 8


def test_a_fact_that_is_not_in_the_log_yet_keeps_its_trace(told: Runtime) -> None:
    deliver(told, "d3", branch="feature/z", number=STUCK)
    assert count(told.store, "inbox", "done = 2") == 1
    before = snapshot(told)
    assert "local:acme/booking@feature/z" in {row["key"] for row in before["trace_key"]}
    drop(told)
    with told.store.begin() as session:
        rebuild(session, told.forges)
    assert snapshot(told) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE head SET hash = '0' WHERE trace_id = 'trace-1'", "trace-1 does not end where its head says"),
        (
            "UPDATE head SET sequence = 99 WHERE trace_id = 'trace-1'",
            "trace-1 does not end where its head says",
        ),
    ],
)
def test_what_would_hide_a_broken_log_is_not_made(told: Runtime, damage: str, said: str) -> None:
    with told.store.begin() as session:
        session.execute(sa.text(damage))
    before = snapshot(told)
    with pytest.raises(Unsound, match=said), told.store.begin() as session:
        rebuild(session, told.forges)
    assert snapshot(told) == before
