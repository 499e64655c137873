"""One fact for many traces: the open traces of a repository, or all that have been quiet for long.

At most 500 per transaction; where there are more, the trace that asked is told to go on behind the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.decision import Sweep
from bot.domain.event import Draft, Event, derived_id, stamp
from bot.intake.arrivals import Arrival, event_arrival
from bot.log.tables import HEADS

AT_ONCE = 500
ENDED = ("deployment_completed",)
GO_ON = "sweep-goes-on"


def expand(session: Session, cause: Event, sweep: Sweep, shards: int) -> list[Arrival]:
    """The rows that bring a sweep's fact to the next traces it is for."""
    query = (
        sa.select(HEADS.c.trace_id)
        .where(
            HEADS.c.tenant_id == cause.tenant_id,
            HEADS.c.forge == sweep.forge,
            HEADS.c.repository == sweep.repository,
            HEADS.c.trace_id > sweep.after,
        )
        .order_by(HEADS.c.trace_id)
        .limit(AT_ONCE)
    )
    query = query if sweep.ended else query.where(HEADS.c.flow_state.not_in(ENDED))
    query = query.where(_open_change(session)) if sweep.only_changes else query
    traces = list(session.execute(query).scalars())
    arrivals = [_told(cause, trace, sweep.name, sweep.draft, shards) for trace in traces]
    if len(traces) == AT_ONCE:
        more = {"reason": GO_ON, "sweep": sweep.name, "after": traces[-1], "forge": sweep.forge}
        more |= {"repository": sweep.repository, "onlyChanges": sweep.only_changes, "says": sweep.draft.data}
        more |= {"type": sweep.draft.type, "ended": sweep.ended}
        go_on = Draft(type="TriggerRequested", data=more)
        arrivals.append(_told(cause, cause.trace_id, f"{sweep.name}-after-{traces[-1]}", go_on, shards))
    return arrivals


def first_in(session: Session, tenant: str, forge: str, repository: str) -> str | None:
    """A trace of a repository, to tell the others what concerns them all; None when it has none."""
    query = sa.select(HEADS.c.trace_id).where(
        HEADS.c.tenant_id == tenant, HEADS.c.forge == forge, HEADS.c.repository == repository
    )
    return session.execute(query.order_by(HEADS.c.trace_id).limit(1)).scalar()


def open_traces(session: Session, tenant: str, forge: str, repository: str, *, after: str) -> list[str]:
    """Traces of a repository that a verdict may still be asked about, behind `after`, at most AT_ONCE: those
    whose change is open, and modules on their way.
    """
    query = (
        sa.select(HEADS.c.trace_id)
        .where(
            HEADS.c.tenant_id == tenant,
            HEADS.c.forge == forge,
            HEADS.c.repository == repository,
            HEADS.c.flow_state.not_in(ENDED),
            HEADS.c.trace_id > after,
            sa.or_(HEADS.c.module_id != "", _open_change(session)),
        )
        .order_by(HEADS.c.trace_id)
        .limit(AT_ONCE)
    )
    return list(session.execute(query).scalars())


def _open_change(session: Session) -> Any:
    """Whether the change of a trace is open, as its state has it. Only what may be is taken apart: a
    repository keeps the states of all its changes, and most were merged long ago.
    """
    if session.get_bind().dialect.name == "sqlite":
        said = sa.func.json_extract(HEADS.c.state, "$.change.state")
    else:
        said = sa.cast(HEADS.c.state, sa.JSON)[("change", "state")].as_string()
    return sa.case((HEADS.c.state.contains('"state":"open"'), said)) == "open"


def quiet(session: Session, since: str, after: Sequence[str]) -> list[tuple[str, str]]:
    """(tenant, trace) of open changes of which nothing was heard since `since` (RFC 3339), behind `after`."""
    key: Any = sa.tuple_(HEADS.c.tenant_id, HEADS.c.trace_id)
    query = (
        sa.select(HEADS.c.tenant_id, HEADS.c.trace_id)
        .where(HEADS.c.change_url != "", HEADS.c.flow_state.not_in(ENDED), HEADS.c.updated_at < since)
        .order_by(HEADS.c.tenant_id, HEADS.c.trace_id)
        .limit(AT_ONCE)
    )
    query = query.where(key > tuple(after)) if after else query
    return [(tenant, trace) for tenant, trace in session.execute(query)]


def reminder(tenant: str, trace: str, at: datetime, shards: int) -> Arrival:
    """The fact that makes a quiet trace look at its forge again."""
    name = f"reconciliation-{int(at.timestamp())}"
    data = {"reason": "reconciliation", "timer": name}
    event = Event(
        type="TriggerRequested",
        data=data,
        id=derived_id(tenant, trace, name),
        source="schedule",
        time=at,
        tenant_id=tenant,
        trace_id=trace,
    )
    return event_arrival(event, "schedule", f"{trace}/{name}", shards)


def _told(cause: Event, trace: str, name: str, draft: Draft, shards: int) -> Arrival:
    identity = {"trace_id": trace, "id": derived_id(cause.tenant_id, trace, "sweep", name)}
    told = stamp(draft, cause=cause, index=0).model_copy(update=identity)
    return event_arrival(told, "sweep", f"{trace}/{name}", shards)
