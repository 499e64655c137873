"""Lists of traces, and the feed of events that live pages follow.

cursor, new = events_after(session, cursor, tenant="acme", trace="trace-1")
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.log.tables import EVENTS, HEADS

SETTLED = sa.text("age(events.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)")
"""Postgres hands out positions before commits: below a transaction that is still open, more may appear.

Such rows wait.
"""


@dataclass(frozen=True)
class TraceLine:
    """One trace in a list."""

    trace_id: str
    module_id: str
    version: str
    forge: str
    repository: str
    flow_state: str
    change_url: str
    sentence: str
    """What happened last."""
    sequence: int
    updated_at: str


def traces(
    session: Session, tenant: str, *, limit: int = 100, before: str | None = None, module: str | None = None
) -> list[TraceLine]:
    """A tenant's traces, the latest first.

    `before` is the `updated_at` of the last line of the page before.
    """
    columns = [HEADS.c[name] for name in TraceLine.__dataclass_fields__]
    query = sa.select(*columns).where(HEADS.c.tenant_id == tenant)
    if before is not None:
        query = query.where(HEADS.c.updated_at < before)
    if module is not None:
        query = query.where(HEADS.c.module_id == module)
    rows = session.execute(query.order_by(HEADS.c.updated_at.desc(), HEADS.c.trace_id).limit(limit))
    return [TraceLine(**row) for row in rows.mappings()]


def events_after(
    session: Session, cursor: int, *, tenant: str, trace: str | None = None, limit: int = 200
) -> tuple[int, list[Event]]:
    """Events appended since `cursor` (0: from the beginning), and the cursor to ask with next."""
    query = sa.select(EVENTS.c.position, EVENTS.c.body).where(
        EVENTS.c.tenant_id == tenant, EVENTS.c.position > cursor
    )
    if trace is not None:
        query = query.where(EVENTS.c.trace_id == trace)
    if session.get_bind().dialect.name != "sqlite":
        query = query.where(SETTLED)
    rows = session.execute(query.order_by(EVENTS.c.position).limit(limit)).all()
    return (rows[-1][0] if rows else cursor), [Event.model_validate_json(bytes(body)) for _, body in rows]
