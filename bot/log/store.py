"""The database: `Store(url)` for `sqlite:///FILE` or `postgresql://...`, with every trap of both set right.

store = Store(url)
with store.begin() as session: ...               # writes; on SQLite it holds the write lock from the start
with store.begin(urgent=True) as session: ...    # intake: next in line at SQLite's gate
with store.read() as session: ...                # a consistent snapshot, blocks nobody
store.durable_engine()                           # for the durable-execution library
store.close()
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.log.gate import Gate, gated

SQLITE_CONNECTIONS = 64
"""More than all threads that may hold one at once: with 4 for 16 threads, nested checkouts hung."""
POSTGRES_CONNECTIONS = 20
PRAGMAS = (
    "busy_timeout=30000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
)


def in_list(column: str, parameter: str, *, sqlite: bool) -> str:
    """SQL for "is one of a list", with the list as one parameter (see `listed`): the text stays the same."""
    return (
        f"{column} IN (SELECT value FROM json_each(:{parameter}))"  # noqa: S608 - constants only
        if sqlite
        else f"{column} = ANY(:{parameter})"
    )


def listed(values: Iterable[Any], *, sqlite: bool) -> Any:
    """The parameter that goes with `in_list`."""
    return json.dumps(list(values)) if sqlite else list(values)


class Store:
    """Engines of one database. `url` is kept as given; threads may share a Store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self._gate = Gate()
        self.engine = self._make(ours=True)
        self._durable: sa.Engine | None = None

    @contextmanager
    def begin(self, *, urgent: bool = False) -> Iterator[Session]:
        """A writing transaction: committed at the end of the block, rolled back when it raises."""
        options = {"writes": True, "urgent": urgent}
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options=options)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading transaction that sees one moment."""
        options = {"snapshot": True} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with Session(self.engine) as session:  # closing it rolls back: there is nothing to commit
            session.connection(execution_options=options)
            yield session

    def durable_engine(self) -> sa.Engine:
        """An engine for DBOS on SQLite: through the same gate, but it begins its transactions itself."""
        if self._durable is None:
            self._durable = self._make(ours=False)
        return self._durable

    @property
    def durable_url(self) -> str:
        """The same database as DBOS wants to read it."""
        return self.url if self.sqlite else self.url.replace("postgresql+psycopg://", "postgresql://", 1)

    def close(self) -> None:
        self.engine.dispose()
        if self._durable is not None:
            self._durable.dispose()

    def _make(self, *, ours: bool) -> sa.Engine:
        if not self.sqlite:
            url = self.durable_url.replace("postgresql://", "postgresql+psycopg://", 1)
            return sa.create_engine(url, pool_size=POSTGRES_CONNECTIONS, max_overflow=10, pool_pre_ping=True)
        if database := sa.make_url(self.url).database:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        connect = {"factory": gated(self._gate), "check_same_thread": False}
        engine = sa.create_engine(
            self.url, pool_size=SQLITE_CONNECTIONS, max_overflow=0, connect_args=connect
        )
        event.listen(engine, "connect", _prepare)
        if ours:
            event.listen(engine, "begin", _take_the_write_lock_first)
        return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _take_the_write_lock_first(connection: sa.Connection) -> None:
    """A deferred read-modify-write loses updates: of 200 concurrent ones 31 were left."""
    raw: Any = connection.connection.dbapi_connection
    options = connection.get_execution_options()
    if raw.in_transaction:
        return
    if options.get("writes") or options.get("isolation_level") == "SERIALIZABLE":
        raw.urgent = bool(options.get("urgent"))
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get("snapshot"):
        connection.exec_driver_sql("BEGIN")
