"""`drain_shard`: apply a shard's waiting rows, in order, a few per transaction, until there are none.

A transaction takes at most 60 rows or 20 ms, because intake waits for it on SQLite. The rows' `done` marks
are written in it too, so it needs no checkpoint of its own: done again it finds nothing to do. Two drains of
one shard take turns by lock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.engine import quarantine
from bot.engine.batch import Batch
from bot.engine.wiring import Wiring
from bot.log.store import in_list, listed
from bot.log.tables import GENERATIONS, TAKEOVERS
from bot.telemetry import get_logger

log = get_logger(__name__)
MOST_ROWS = 60
"""With 30, transactions cost as much as what was done in them."""
MOST_SECONDS = 0.02
LONGEST = 2.0
"""Seconds until a drain lets another shard have its thread."""
SHARD_LOCK = 0x5348
"""First half of the advisory lock of a shard (Postgres)."""
LOCK = sa.text("SELECT pg_advisory_xact_lock(:space, :shard)")
NEXT = sa.text("SELECT * FROM inbox WHERE shard = :shard AND done = 0 ORDER BY seq LIMIT :most")
MARK = {
    sqlite: sa.text("UPDATE inbox SET done = 1 WHERE " + in_list("seq", "seqs", sqlite=sqlite))  # noqa: S608 - constants only
    for sqlite in (True, False)
}
CAREFUL_AFTER = 2
"""Takeovers of one drain after which its rows are tried one by one."""
RETRIES = 5


def drain(wiring: Wiring, shard: int, workflow_id: str) -> None:
    """Apply what waits in `shard`."""
    careful = _raise_generation(wiring, shard, workflow_id) > CAREFUL_AFTER
    deadline = time.monotonic() + LONGEST
    more = True
    while more and not wiring.activity.stopping:
        if careful:
            quarantine.before_the_next_row(wiring, shard)
        with wiring.pace.turn():
            more = _retried(wiring, shard, most=1 if careful else MOST_ROWS)
        if more and time.monotonic() > deadline:
            _go_on_later(wiring, shard)
            return


def _retried(wiring: Wiring, shard: int, most: int) -> bool:
    for attempt in range(RETRIES):
        try:
            return _transaction(wiring, shard, most)
        except OperationalError as error:  # a deadlock, a serialisation failure, a full disk
            log.warning("drain_retried", shard=shard, error=str(error.orig))
            time.sleep(0.05 * 2**attempt)
    return False  # the sweep will come back to this shard


def _raise_generation(wiring: Wiring, shard: int, workflow_id: str) -> int:
    """From here on whoever adds a row enqueues another drain. Returns how often this drain was taken over.

    A transaction of its own: the row lock must not be held while this drain rings other shards' bells.
    """
    with wiring.store.begin() as session:
        session.execute(
            sa.update(GENERATIONS)
            .where(GENERATIONS.c.shard == shard)
            .values(generation=GENERATIONS.c.generation + 1)
        )
        return (
            session.execute(
                sa.select(TAKEOVERS.c.attempts).where(TAKEOVERS.c.workflow_id == workflow_id)
            ).scalar()
            or 0
        )


def _transaction(wiring: Wiring, shard: int, most: int) -> bool:
    """One transaction. Returns whether more rows wait."""
    try:
        with _alone(wiring, shard) as session:
            rows = _waiting(session, shard, most)
            rung, taken = _all_together(session, wiring, rows)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - which row it was is found out one by one
        log.info("batch_failed", shard=shard, error=type(error).__name__)
        with _alone(wiring, shard) as session:
            rows = _waiting(session, shard, most)
            rung, taken = _one_by_one(session, wiring, rows), len(rows)
    wiring.bell.remember(rung)
    return taken < len(rows) or len(rows) == most


@contextmanager
def _alone(wiring: Wiring, shard: int) -> Iterator[Session]:
    """A transaction that no other drain of the shard runs beside."""
    with wiring.store.begin() as session:
        if not wiring.store.sqlite:
            session.execute(LOCK, {"space": SHARD_LOCK, "shard": shard})
        yield session


def _waiting(session: Session, shard: int, most: int) -> list[Any]:
    return list(session.execute(NEXT, {"shard": shard, "most": most}))


def _all_together(session: Session, wiring: Wiring, rows: list[Any]) -> tuple[dict[int, int], int]:
    """The usual case: no row raises. Returns wake-ups and the number of rows taken."""
    started = time.perf_counter()
    if not rows:
        return {}, 0
    batch = Batch(session, wiring)
    batch.prepare(rows)
    taken: list[int] = []
    for row in rows:
        batch.take(row)
        taken.append(row.seq)
        if time.perf_counter() - started > MOST_SECONDS:
            break
    rung = batch.flush()
    _mark(session, taken, sqlite=wiring.store.sqlite)
    return rung, len(taken)


def _one_by_one(session: Session, wiring: Wiring, rows: list[Any]) -> dict[int, int]:
    """Apply each row in its own savepoint, and put those that raise into quarantine."""
    rung: dict[int, int] = {}
    for row in rows:
        try:
            with session.begin_nested():
                taken, _ = _all_together(session, wiring, [row])
                rung |= taken
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the rows behind it must go on
            quarantine.put(session, row, error)
    return rung


def _mark(session: Session, seqs: list[int], *, sqlite: bool) -> None:
    # By explicit list: a row with a lower number may have been committed by another process meanwhile.
    session.execute(MARK[sqlite], {"seqs": listed(seqs, sqlite=sqlite)})


def _go_on_later(wiring: Wiring, shard: int) -> None:
    with wiring.store.begin() as session:
        rung = wiring.bell.ring(session, [shard])
    wiring.bell.remember(rung)
