"""Reading the log: a trace's events, one event, the state at an earlier moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState
from bot.log.fold import fold
from bot.log.tables import EVENTS


def events(
    session: Session, tenant: str, trace: str, after: int = 0, limit: int | None = None
) -> list[Event]:
    """The events of a trace with a sequence above `after`, in order."""
    query = sa.select(EVENTS.c.body).where(*_of(tenant, trace), EVENTS.c.sequence > after)
    rows = session.execute(query.order_by(EVENTS.c.sequence).limit(limit)).scalars()
    return [Event.model_validate_json(bytes(body)) for body in rows]


def traces(session: Session, tenant: str | None = None) -> list[tuple[str, str]]:
    """Tenant and id of every trace that has events."""
    query = sa.select(EVENTS.c.tenant_id, EVENTS.c.trace_id).where(EVENTS.c.sequence == 1)
    if tenant is not None:
        query = query.where(EVENTS.c.tenant_id == tenant)
    rows = session.execute(query.order_by(EVENTS.c.tenant_id, EVENTS.c.trace_id))
    return [(row.tenant_id, row.trace_id) for row in rows]


def find(session: Session, tenant: str, trace: str, event_id: str) -> Event | None:
    """An event of a trace by its id."""
    body = session.execute(
        sa.select(EVENTS.c.body).where(*_of(tenant, trace), EVENTS.c.id == event_id)
    ).scalar()
    return Event.model_validate_json(bytes(body)) if body is not None else None


def replay(session: Session, tenant: str, trace: str, until: int | datetime | None = None) -> TraceState:
    """The state folded from the start, up to a sequence or a moment (both included)."""
    query = sa.select(EVENTS.c.body, EVENTS.c.hash).where(*_of(tenant, trace))
    if isinstance(until, datetime):
        # Times within a trace need not grow (senders state them), so the prefix ends at the first
        # later event.
        later = sa.select(sa.func.min(EVENTS.c.sequence)).where(
            *_of(tenant, trace), EVENTS.c.time > rfc3339(until)
        )
        first_later = session.execute(later).scalar()
        until = None if first_later is None else first_later - 1
    if until is not None:
        query = query.where(EVENTS.c.sequence <= until)
    rows = session.execute(query.order_by(EVENTS.c.sequence))
    return fold(tenant, trace, ((bytes(body), digest) for body, digest in rows))


def _of(tenant: str, trace: str) -> tuple[Any, Any]:
    return EVENTS.c.tenant_id == tenant, EVENTS.c.trace_id == trace
