"""What was applied long ago leaves its row and its id; what waits, or is in quarantine, leaves nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.engine import purge, quarantine, schedules
from bot.engine.runtime import Runtime
from bot.intake.arrivals import Arrival, shard_of
from bot.log.tables import HEADS, INBOX
from bot.projections.rebuild import rebuild
from bot.projections.trace_keys import KEYS
from tests.engine.rig import TestForge, count, running, signed, wait_for
from tests.log.facts import fact

LATER = timedelta(hours=73)
PURGED = "length(body) < 200 AND headers = ''"


def deliver(runtime: Runtime, delivery_id: str, **said: Any) -> None:
    body = json.dumps(said | {"padding": "x" * 1000}).encode()
    shard = shard_of("local:acme/booking", runtime.settings.shards)
    headers = json.dumps(signed(body, delivery_id))
    runtime.inbox.receive([Arrival("acme", "webhooks/local", "delivery", delivery_id, body, shard, headers)])


def settled(runtime: Runtime) -> None:
    wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)


def row(runtime: Runtime, delivery_id: str) -> Any:
    with runtime.store.read() as session:
        return session.execute(sa.select(INBOX).where(INBOX.c.delivery_id == delivery_id)).one()


def tidy(runtime: Runtime, after: timedelta = LATER) -> None:
    schedules.tidy(runtime.wiring, datetime.now(UTC) + after)


def keys(runtime: Runtime) -> list[tuple[str, str]]:
    with runtime.store.read() as session:
        return sorted((one.key, one.trace) for one in session.execute(sa.select(KEYS)))


def test_applied_rows_keep_their_ids_and_lose_the_rest(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    with running(database_url) as runtime:
        for number in range(5):
            deliver(runtime, f"d{number}", branch=f"b{number}", number=number)
        runtime.submit(fact(1, "trace-1"), "tests", "e1")
        settled(runtime)
        rows, events = count(runtime.store, "inbox"), count(runtime.store, "events")

        tidy(runtime, timedelta(hours=71))
        assert count(runtime.store, "inbox", PURGED + " AND kind = 'delivery'") == 0
        assert bytes(row(runtime, "e1").body) != b""
        tidy(runtime)

        assert count(runtime.store, "inbox") == count(runtime.store, "inbox", PURGED) == rows
        assert bytes(row(runtime, "e1").body) == b""
        assert json.loads(row(runtime, "d3").body) == {"hints": [["local:acme/booking@b3"]]}
        for number in range(5):  # told again they are known, and have no second effect
            deliver(runtime, f"d{number}", branch=f"b{number}", number=number)
        runtime.submit(fact(1, "trace-1"), "tests", "e1")
        settled(runtime)
        assert (count(runtime.store, "inbox"), count(runtime.store, "events")) == (rows, events)
        tidy(runtime)
        assert count(runtime.store, "inbox", PURGED) == rows


def test_the_read_models_can_still_be_made_anew(database_url: str) -> None:
    with running(database_url) as runtime:
        for number in range(3):
            deliver(runtime, f"d{number}", branch=f"b{number}", number=number)
        settled(runtime)
        before = keys(runtime)
        assert len(before) == 3
        tidy(runtime)
        with runtime.store.begin() as session:
            session.execute(sa.delete(HEADS))
            session.execute(sa.delete(KEYS))
            rebuild(session, runtime.forges)
        assert keys(runtime) == before


def test_what_is_in_quarantine_can_be_applied_after_any_time(database_url: str) -> None:
    forge = TestForge()
    with running(database_url, forges={"local": forge}) as runtime:
        deliver(runtime, "broken", explode=True, branch="b", number=1)
        settled(runtime)
        assert count(runtime.store, "inbox", "done = 2") == 1
        before = row(runtime, "broken")

        tidy(runtime)

        assert row(runtime, "broken") == before
        forge.repaired = True
        with runtime.store.read() as session:
            (letter,) = quarantine.letters(session, "acme", limit=5)
        assert runtime.retry(letter["id"])
        wait_for(lambda: count(runtime.store, "events") == 1)


def test_what_still_waits_is_left_alone(database_url: str) -> None:
    with running(database_url, work=False) as runtime:
        deliver(runtime, "waiting", branch="b", number=1)
        before = row(runtime, "waiting")
        purge.purge(runtime.wiring, "9999-01-01T00:00:00.000Z")
        assert row(runtime, "waiting") == before


def test_what_no_forge_here_can_read_is_kept(database_url: str) -> None:
    forge = TestForge()
    with running(database_url, forges={"local": forge}) as runtime:
        deliver(runtime, "d1", branch="b", number=1)
        settled(runtime)
        before = row(runtime, "d1")
        forge.normalise = lambda _headers, _body: json.loads(b"")  # type: ignore[method-assign]
        tidy(runtime)
        assert row(runtime, "d1") == before


class Hoarder(TestForge):
    """A forge that keeps something of its own."""

    told: tuple[str, ...] = ()

    def tidy(self, before: str) -> None:
        self.told += (before,)


def test_a_forge_that_keeps_something_is_told_to_let_go_of_it(sqlite_url: str) -> None:
    forge = Hoarder()
    with running(sqlite_url, forges={"local": forge}, retention_hours=1) as runtime:
        schedules.tidy(runtime.wiring, datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert forge.told == ("2026-11-20T08:00:00.000Z",)
