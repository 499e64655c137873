"""Who waits for whom at SQLite's gate: writers for writers, readers for nobody."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bot.log import Store, append, events, gate
from tests.log.facts import fact


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.3)


def test_readers_wait_for_nobody_and_hold_nobody_up(sqlite_store: Store) -> None:
    with sqlite_store.read() as first, sqlite_store.read() as second:
        with sqlite_store.begin() as writer:
            append(writer, [fact(1)])
            with sqlite_store.read() as third:
                assert events(third, "acme", "trace-1") == []
        assert events(first, "acme", "trace-1") == events(second, "acme", "trace-1")
    with sqlite_store.read() as after:
        assert len(events(after, "acme", "trace-1")) == 1


def test_writers_take_turns_and_lose_patience(sqlite_store: Store) -> None:
    with sqlite_store.begin() as writer:
        append(writer, [fact(1)])
        late = pytest.raises(OperationalError, match="waited too long for the turn to write")
        with late, sqlite_store.begin() as other:
            append(other, [fact(2)])
    with sqlite_store.begin() as writer:
        append(writer, [fact(2)])


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t VALUES (1)", " update t SET x = 1", "BEGIN IMMEDIATE", "begin exclusive"]
)
def test_a_writing_statement_of_any_library_takes_the_gate(sqlite_store: Store, sql: str) -> None:
    with sqlite_store.begin() as session:
        session.execute(sa.text("CREATE TABLE t (x)"))
    raw = sqlite_store.durable_engine().raw_connection()
    with sqlite_store.begin(), pytest.raises(sqlite3.OperationalError, match="waited too long"):
        raw.cursor().execute(sql)
    raw.close()
