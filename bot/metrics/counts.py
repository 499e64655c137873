"""The questions to the database, and their answers together: one moment of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.intake.arrivals import DELIVERY
from bot.log.tables import EFFECTS, EVENTS, INBOX, LETTERS, WAITING
from bot.metrics.growing import Counts, Growing
from bot.metrics.measures import COUNTED, DEPLOYMENT, ENDED, INTENT, SIGNED_OFF, STARTED, WAIT, observed

BEGUN = "begun"


@dataclass(frozen=True)
class Numbers:
    """What the database says."""

    events: Counts
    """(type,) -> how many, (BEGUN,) -> traces, and the parts of the histograms (`measures.observed`)."""
    deliveries: Counts
    """(source,) -> calls that were taken in."""
    quarantined: Counts
    """(source, kind, status) -> rows that could not be applied."""
    waiting: Counts
    """(kind,) -> rows of the inbox that wait."""
    effects: Counts
    """(kind, target, status) -> how many."""


@dataclass
class Counting:
    """What was counted already, in this process."""

    events: Growing = field(default_factory=lambda: Growing(_events))
    inbox: Growing = field(default_factory=lambda: Growing(_deliveries))

    def __call__(self, session: Session) -> Numbers:
        """All numbers at the moment that the session sees."""
        letters = (LETTERS.c.source, LETTERS.c.kind, LETTERS.c.status)
        waiting = sa.select(INBOX.c.kind, sa.func.count()).where(INBOX.c.done == WAITING)
        return Numbers(
            events=self.events.total(session, _newest(session, EVENTS.c.position)),
            deliveries=self.inbox.total(session, _newest(session, INBOX.c.seq)),
            quarantined=_counted(session, sa.select(*letters, sa.func.count()).group_by(*letters)),
            waiting=_counted(session, waiting.group_by(INBOX.c.kind)),
            effects=_effects(session),
        )


def _newest(session: Session, column: Any) -> int:
    return int(session.execute(sa.select(sa.func.max(column))).scalar() or 0)


def _counted(session: Session, question: Any) -> Counts:
    """Rows of names and a number at the end."""
    return Counter({tuple(row[:-1]): int(row[-1]) for row in session.execute(question)})


def _effects(session: Session) -> Counts:
    names = (EFFECTS.c.kind, EFFECTS.c.target, EFFECTS.c.status)
    return _counted(session, sa.select(*names, sa.func.count()).group_by(*names))


def _deliveries(session: Session, after: int, until: int) -> Counts:
    told = sa.select(INBOX.c.source, sa.func.count()).where(
        INBOX.c.seq > after, INBOX.c.seq <= until, INBOX.c.kind == DELIVERY
    )
    return _counted(session, told.group_by(INBOX.c.source))


def _events(session: Session, after: int, until: int) -> Counts:
    within = (EVENTS.c.position > after, EVENTS.c.position <= until)
    types = sa.select(EVENTS.c.type, sa.func.count()).where(*within, EVENTS.c.type.in_(COUNTED))
    counts = _counted(session, types.group_by(EVENTS.c.type))
    begun = sa.select(sa.func.count()).select_from(EVENTS).where(*within, EVENTS.c.sequence == 1)
    counts[(BEGUN,)] = int(session.execute(begun).scalar_one())
    for type_, ended, began in session.execute(_pairs(within, tuple(ENDED), STARTED)):
        if began:
            counts.update(observed(DEPLOYMENT, ENDED[type_], began, ended))
    for _, ended, began in session.execute(_pairs(within, (SIGNED_OFF,), INTENT)):
        if began:
            counts.update(observed(WAIT, "", began, ended))
    return counts


def _pairs(within: tuple[Any, ...], ends: tuple[str, ...], begin: str) -> Any:
    """Type and time of each end, and the time of what began it in its trace: the last such event before it,
    of an approval else the trace's first event.
    """
    earlier = EVENTS.alias()
    same = (
        earlier.c.tenant_id == EVENTS.c.tenant_id,
        earlier.c.trace_id == EVENTS.c.trace_id,
        earlier.c.sequence < EVENTS.c.sequence,
    )
    wanted = earlier.c.type == begin
    if begin == INTENT:
        wanted = sa.or_(wanted, earlier.c.sequence == 1)
    began = sa.select(earlier.c.time).where(*same, wanted).order_by(earlier.c.sequence.desc()).limit(1)
    return sa.select(EVENTS.c.type, EVENTS.c.time, began.scalar_subquery()).where(
        *within, EVENTS.c.type.in_(ends)
    )
