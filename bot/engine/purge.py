"""What came in long ago and was applied: its row stays, its body and headers go.

The row's `(tenant, source, delivery_id)` is what makes a delivery or an event arrive once, for ever. What an
event said is in the log. What a delivery said is not, and rebuilding the trace keys needs the hints of its
facts: these take the body's place, and empty headers say so. A row in quarantine keeps everything, because
it is to be applied yet; so does one that no forge here can read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.engine.wiring import Wiring
from bot.forges.port import Forge
from bot.intake.arrivals import DELIVERY, EVENT
from bot.log.tables import DONE, EVENTS, INBOX

AT_ONCE = 50
"""Bodies may have a mebibyte each."""


@runtime_checkable
class Tidying(Protocol):
    """A forge that keeps something of its own in the bot's database."""

    def tidy(self, before: str) -> None:
        """Let go of what was done before this moment (RFC 3339 in UTC) and is not needed again."""
        ...


def purge(wiring: Wiring, before: str) -> None:
    """Let go of the bodies of applied rows that came in before this moment (RFC 3339 in UTC)."""
    for forge in wiring.forges.values():
        if isinstance(forge, Tidying):
            forge.tidy(before)
    after: int | None = 0
    while after is not None and not wiring.activity.stopping:
        after = _some(wiring, before, after)


def _some(wiring: Wiring, before: str, after: int) -> int | None:
    """One transaction's worth; the last row looked at, or None when there was none."""
    full = sa.or_(INBOX.c.headers != "", sa.and_(INBOX.c.kind == EVENT, sa.func.length(INBOX.c.body) > 0))
    query = (
        sa.select(INBOX)
        .where(INBOX.c.done == DONE, INBOX.c.received_at < before, INBOX.c.seq > after, full)
        .order_by(INBOX.c.seq)
        .limit(AT_ONCE)
    )
    with wiring.store.read() as session:
        rows = list(session.execute(query))
    left = {row.seq: body for row in rows if (body := _left(row, wiring.forges)) is not None}
    if left:
        with wiring.store.begin() as session:
            _write(session, left)
    return rows[-1].seq if rows else None


def _write(session: Session, left: Mapping[int, bytes]) -> None:
    emptied = (
        sa.update(INBOX)
        .where(INBOX.c.seq == sa.bindparam("row"), INBOX.c.done == DONE)
        .values(headers="", body=sa.bindparam("left"))
    )
    session.connection().execute(emptied, [{"row": seq, "left": body} for seq, body in left.items()])


def _left(row: Any, forges: Mapping[str, Forge]) -> bytes | None:
    """What a row's body becomes; None when it must stay."""
    if row.kind != DELIVERY:
        return b""
    forge = forges.get(row.source.removeprefix("webhooks/"))
    if forge is None:
        return None
    try:
        facts = forge.normalise(json.loads(row.headers), bytes(row.body))
    except Exception:  # noqa: BLE001 - it could be read once; a parser of today's that can not may be repaired
        return None
    return json.dumps({"hints": [fact.hints for fact in facts]}).encode()


def said_before(session: Session, tenant: str, source: str, delivery_id: str) -> bytes | None:
    """The event that came in under this id: from its row or, when that was purged, from the log."""
    row = sa.select(INBOX.c.body).where(
        INBOX.c.tenant == tenant, INBOX.c.source == source, INBOX.c.delivery_id == delivery_id
    )
    body = session.execute(row).scalar()
    if body is None or len(body):
        return None if body is None else bytes(body)
    logged = sa.select(EVENTS.c.body).where(EVENTS.c.tenant_id == tenant, EVENTS.c.id == delivery_id)
    found = session.execute(logged).scalar()
    return None if found is None else bytes(found)
