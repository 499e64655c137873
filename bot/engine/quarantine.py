"""Rows that cannot be applied: kept with their error, visible, and applied again when somebody says so."""

from __future__ import annotations

import traceback
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.engine.wiring import Wiring
from bot.intake.arrivals import Doorbell, now
from bot.log.store import Store
from bot.log.tables import INBOX, LETTERS, QUARANTINED, WAITING
from bot.telemetry import get_logger, redact

log = get_logger(__name__)
MOST_ATTEMPTS = 2
"""Times that a row may be the one a worker died on."""


class WorkerLost(Exception):
    """The row was next when a worker died, more than once."""


def put(session: Session, row: Any, error: BaseException) -> None:
    """Quarantine an inbox row in the drain's transaction."""
    told = "".join(traceback.format_exception(error))
    values = {
        name: getattr(row, name) for name in ("seq", "tenant", "source", "kind", "delivery_id", "trace")
    }
    values |= {
        "error": type(error).__name__,
        "message": redact(str(error)),
        "traceback": redact(told),
        "at": now(),
    }
    session.execute(sa.insert(LETTERS), values | {"status": "quarantined"})
    session.execute(sa.update(INBOX).where(INBOX.c.seq == row.seq).values(done=QUARANTINED))
    log.error(
        "quarantined", seq=row.seq, source=row.source, delivery_id=row.delivery_id, error=values["error"]
    )


def retry(store: Store, bell: Doorbell, letter_id: int) -> bool:
    """Let a quarantined row be applied again.

    False when there is no such letter, or it is not in quarantine.
    """
    with store.begin() as session:
        letter = session.execute(
            sa.select(LETTERS.c.seq, INBOX.c.shard).join(INBOX, INBOX.c.seq == LETTERS.c.seq)
            .where(LETTERS.c.id == letter_id, LETTERS.c.status == "quarantined")
        ).first()  # fmt: skip
        if letter is None:
            return False
        session.execute(sa.update(LETTERS).where(LETTERS.c.id == letter_id).values(status="retried"))
        session.execute(sa.update(INBOX).where(INBOX.c.seq == letter.seq).values(done=WAITING, attempts=0))
        rung = bell.ring(session, [letter.shard])
    bell.remember(rung)
    return True


def letters(session: Session, tenant: str | None = None, *, limit: int = 100) -> list[dict[str, Any]]:
    """Dead letters, the latest first."""
    query = sa.select(LETTERS).order_by(LETTERS.c.id.desc()).limit(limit)
    if tenant is not None:
        query = query.where(LETTERS.c.tenant == tenant)
    return [dict(row) for row in session.execute(query).mappings()]


def before_the_next_row(wiring: Wiring, shard: int) -> None:
    """Note, durably, which row comes next.

    One that has killed its worker before goes into quarantine instead.
    """
    first = (
        sa.select(INBOX).where(INBOX.c.shard == shard, INBOX.c.done == WAITING).order_by(INBOX.c.seq).limit(1)
    )
    with wiring.store.begin() as session:
        row = session.execute(first).first()
        if row is None:
            return
        if row.attempts >= MOST_ATTEMPTS:
            put(session, row, WorkerLost(f"{row.attempts} workers died while this was being applied"))
        else:
            session.execute(sa.update(INBOX).where(INBOX.c.seq == row.seq).values(attempts=row.attempts + 1))
