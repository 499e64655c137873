"""What the API, Studio and the command line ask the log.

Lists, one trace's document, how its stored state compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.log.fold import FOLD, state_text
from bot.log.replay import replay
from bot.log.tables import EVENTS, HEADS

COLUMNS = (
    "trace_id",
    "tenant_id",
    "module_id",
    "version",
    "forge",
    "repository",
    "flow_state",
    "change_url",
    "sentence",
    "sequence",
    "updated_at",
)


@dataclass(frozen=True)
class TraceLine:
    """One trace in a list. `sentence` is what happened last."""

    trace_id: str
    tenant_id: str
    module_id: str
    version: str
    forge: str
    repository: str
    flow_state: str
    change_url: str
    sentence: str
    sequence: int
    updated_at: str

    def to_json(self) -> dict[str, Any]:
        return {_camel(name): getattr(self, name) for name in COLUMNS}


@dataclass(frozen=True)
class Snapshot:
    """How the stored state compares with the fold of all events.

    `equal` is None when it was folded by other code.
    """

    sequence: int
    equal: bool | None

    def to_json(self) -> dict[str, Any]:
        return {"sequence": self.sequence, "equal": self.equal}

    @property
    def sentence(self) -> str:
        """For a person."""
        if self.equal is None:
            return "The stored state was folded by another release; it is folded anew when it is next needed."
        verdict = "equals" if self.equal else "DIFFERS from"
        return f"The stored state (after event {self.sequence}) {verdict} the replay."


Mark = tuple[str, str]
"""(updated_at, trace_id) of the last line of a page: the next page begins after it."""


def recent(
    session: Session,
    tenant: str | None,
    *,
    limit: int = 50,
    before: Mark | None = None,
    module: str | None = None,
) -> list[TraceLine]:
    """Traces of a tenant (or of all), the latest first."""
    query = sa.select(*(HEADS.c[name] for name in COLUMNS))
    if tenant is not None:
        query = query.where(HEADS.c.tenant_id == tenant)
    if module is not None:
        query = query.where(HEADS.c.module_id == module)
    return [TraceLine(**row) for row in session.execute(_page(query, limit, before)).mappings()]


def _page(query: Any, limit: int, before: Mark | None) -> Any:
    if before is not None:
        moment, trace = before
        same = sa.and_(HEADS.c.updated_at == moment, HEADS.c.trace_id > trace)
        query = query.where(sa.or_(HEADS.c.updated_at < moment, same))
    return query.order_by(HEADS.c.updated_at.desc(), HEADS.c.trace_id).limit(limit)


def latest(session: Session, tenant: str) -> str:
    """A word that changes whenever something of the tenant moves."""
    query = sa.select(sa.func.count(), sa.func.sum(HEADS.c.sequence)).where(HEADS.c.tenant_id == tenant)
    count, events = session.execute(query).one()
    return f"{count}.{events or 0}"


def owners(session: Session, trace: str) -> list[str]:
    """The tenants that have a trace of this id. Asks the events: a lost head must not hide a trace."""
    query = (
        sa.select(EVENTS.c.tenant_id)
        .where(EVENTS.c.trace_id == trace)
        .distinct()
        .order_by(EVENTS.c.tenant_id)
    )
    return list(session.execute(query).scalars())


def head_sequence(session: Session, tenant: str, trace: str) -> int:
    """The last sequence of a trace; 0 when the tenant has no such trace."""
    query = sa.select(HEADS.c.sequence).where(HEADS.c.tenant_id == tenant, HEADS.c.trace_id == trace)
    return int(session.execute(query).scalar() or 0)


def document(state: TraceState, events: list[Event]) -> dict[str, Any]:
    """The contract of `trace show` and `GET /v1/traces/{id}`."""
    return {
        "traceId": state.trace_id,
        "events": [event.to_json() for event in events],
        "state": state.to_json(),
    }


def snapshot(session: Session, tenant: str, trace: str) -> Snapshot:
    """Fold the events up to the stored state's sequence, and compare."""
    query = sa.select(HEADS.c.sequence, HEADS.c.fold, HEADS.c.state).where(
        HEADS.c.tenant_id == tenant, HEADS.c.trace_id == trace
    )
    head = session.execute(query).first()
    if head is None:
        return Snapshot(0, equal=False)
    if head.fold != FOLD:
        return Snapshot(head.sequence, equal=None)
    folded = replay(session, tenant, trace, head.sequence)
    return Snapshot(head.sequence, equal=state_text(folded) == head.state)


def event(session: Session, tenant: str, trace: str, event_id: str) -> Event | None:
    """One event of a trace by its id."""
    query = sa.select(EVENTS.c.body).where(
        EVENTS.c.tenant_id == tenant, EVENTS.c.trace_id == trace, EVENTS.c.id == event_id
    )
    body = session.execute(query).scalar()
    return None if body is None else Event.model_validate_json(bytes(body))


def of_types(
    session: Session, tenant: str, trace: str, types: tuple[str, ...], after: int = 0
) -> list[Event]:
    """The events of some types of a trace, in order."""
    query = sa.select(EVENTS.c.body).where(
        EVENTS.c.tenant_id == tenant,
        EVENTS.c.trace_id == trace,
        EVENTS.c.type.in_(types),
        EVENTS.c.sequence > after,
    )
    return [
        Event.model_validate_json(bytes(body))
        for body in session.execute(query.order_by(EVENTS.c.sequence)).scalars()
    ]


def states(session: Session, tenant: str, *, limit: int, before: Mark | None = None) -> list[TraceState]:
    """The stored states of a tenant's traces, the latest first."""
    query = sa.select(HEADS.c.trace_id, HEADS.c.fold, HEADS.c.state).where(HEADS.c.tenant_id == tenant)
    return [
        TraceState.model_validate_json(row.state)
        if row.fold == FOLD
        else replay(session, tenant, row.trace_id)
        for row in session.execute(_page(query, limit, before)).all()
    ]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
