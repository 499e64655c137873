"""Appending to traces: sequence, hash chain, head and fold, in the caller's one transaction.

ledger = Ledger(session)
event = ledger.append(event)        # now has its sequence
ledger.state(tenant, trace)         # already includes it
ledger.flush()                      # rows are written in bulk
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.canonical import is_plain
from bot.domain.event import Event, chain
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState, apply
from bot.log.fold import FOLD, head_values, refold
from bot.log.store import in_list, listed
from bot.log.tables import EVENTS, HEADS

Key = tuple[str, str]
KNOWN_STATES = 1024


def _insert(table: Any, *without: str) -> str:
    names = [column.name for column in table.c if column.name not in without]
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"  # noqa: S608 - names of our own columns


# As text, once: these run in every transaction, and building them anew costs more than running them.
INSERT_EVENT = sa.text(_insert(EVENTS, "position"))
UPSERT_HEAD = sa.text(
    f"{_insert(HEADS)} ON CONFLICT (tenant_id, trace_id) DO UPDATE SET "
    + ", ".join(f"{column.name} = excluded.{column.name}" for column in HEADS.c if not column.primary_key)
)
HEADS_OF = {
    sqlite: sa.text(
        "SELECT trace_id, sequence, hash, fold FROM head WHERE tenant_id = :tenant AND "  # noqa: S608 - constants only
        + in_list("trace_id", "traces", sqlite=sqlite)
        + ("" if sqlite else " ORDER BY trace_id FOR UPDATE")
    )
    for sqlite in (True, False)
}
KNOWN = {
    sqlite: sa.text(
        "SELECT id FROM events WHERE tenant_id = :tenant AND " + in_list("id", "ids", sqlite=sqlite)  # noqa: S608 - constants only
    )
    for sqlite in (True, False)
}
_known: OrderedDict[tuple[str, str, int, str], TraceState] = OrderedDict()
"""States by (tenant, trace, sequence, hash).

A hit is exact whoever appended, so nothing needs invalidating.
"""


class Ledger:
    """One transaction's view of the traces it appends to. Nothing is written before `flush`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._states: dict[Key, TraceState] = {}
        self._last: dict[Key, Event] = {}
        self._rows: list[dict[str, Any]] = []
        self._fresh: dict[tuple[str, str], Event] = {}

    def preload(self, keys: Iterable[Key]) -> None:
        """Load the states of many traces with one query."""
        wanted = sorted(set(keys) - self._states.keys())
        if not wanted:
            return
        heads: dict[Key, Any] = {}
        for tenant in sorted({tenant for tenant, _ in wanted}):
            traces = listed((trace for owner, trace in wanted if owner == tenant), sqlite=self._sqlite)
            for row in self._session.execute(HEADS_OF[self._sqlite], {"tenant": tenant, "traces": traces}):
                heads[tenant, row.trace_id] = row
        for key in wanted:
            self._states[key] = self._from_head(key, heads.get(key))

    def state(self, tenant: str, trace: str) -> TraceState:
        """The state of a trace, with what this transaction has appended."""
        if (tenant, trace) not in self._states:
            self.preload([(tenant, trace)])
        return self._states[tenant, trace]

    def known(self, tenant: str, ids: Sequence[str]) -> set[str]:
        """Which of these event ids are in the log already."""
        found = self._session.execute(
            KNOWN[self._sqlite], {"tenant": tenant, "ids": listed(ids, sqlite=self._sqlite)}
        )
        fresh = {event_id for (owner, event_id) in self._fresh if owner == tenant}
        return set(found.scalars()) | (fresh & set(ids))

    def find(self, tenant: str, trace: str, event_id: str) -> Event | None:
        """An event of this trace by id, written or about to be."""
        if (tenant, event_id) in self._fresh:
            event = self._fresh[tenant, event_id]
            return event if event.trace_id == trace else None
        query = sa.select(EVENTS.c.body).where(
            EVENTS.c.tenant_id == tenant, EVENTS.c.trace_id == trace, EVENTS.c.id == event_id
        )
        body = self._session.execute(query).scalar()
        return Event.model_validate_json(bytes(body)) if body is not None else None

    def append(self, event: Event) -> Event:
        """Give `event` its place in its trace and fold it. Returns it as it will be read."""
        key = (event.tenant_id, event.trace_id)
        state = self.state(*key)
        event = event.model_copy(update={"sequence": state.sequence + 1, "time": _as_stored(event.time)})
        body = event.canonical()
        if not is_plain(event.data):
            # What is folded and decided on is what is stored: canonical JSON knows no 1.0, only 1.
            event = Event.model_validate_json(body)
        digest = chain(state.hash, body)
        self._rows.append(event_values(event, body, state.hash, digest))
        self._states[key] = apply(state, event, digest)
        self._last[key] = event
        self._fresh[event.tenant_id, event.id] = event
        return event

    def flush(self) -> None:
        """Write events and heads. Raises IntegrityError when another worker appended to the same trace."""
        if not self._rows:
            return
        heads = [head_values(self._states[key], event) for key, event in self._last.items()]
        self._session.execute(INSERT_EVENT, self._rows)
        self._session.execute(UPSERT_HEAD, heads)
        for key in self._last:
            _remember(self._states[key])
        self._rows, self._last = [], {}

    def _from_head(self, key: Key, head: Any) -> TraceState:
        if head is None and not self._sqlite:
            # A trace without a head has no row to lock; two first events must still not pass each other.
            self._session.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": "\x1f".join(key)}
            )
            traces = listed([key[1]], sqlite=False)
            head = self._session.execute(HEADS_OF[False], {"tenant": key[0], "traces": traces}).first()
        if head is None:
            return refold(self._session, *key)
        known = _known.get((*key, head.sequence, head.hash))
        if known is not None:
            return known
        state = self._session.execute(sa.select(HEADS.c.state).where(*_is(key))).scalar()
        return (
            TraceState.model_validate_json(str(state)) if head.fold == FOLD else refold(self._session, *key)
        )


def _as_stored(moment: datetime) -> datetime:
    """To the millisecond, in UTC: as `rfc3339` writes it and a reader gets it back."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def append(session: Session, events: Sequence[Event]) -> list[Event]:
    """Append to one or several traces in the caller's transaction.

    Returns the events with their sequences.
    """
    ledger = Ledger(session)
    ledger.preload((event.tenant_id, event.trace_id) for event in events)
    appended = [ledger.append(event) for event in events]
    ledger.flush()
    return appended


def event_values(event: Event, body: bytes, previous: str, digest: str) -> dict[str, Any]:
    """The row of one event: `body` and the copies that verify compares with it."""
    return {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "sequence": event.sequence,
        "id": event.id,
        "type": event.type,
        "time": rfc3339(event.time),
        "source": event.source,
        "actor": event.actor,
        "causation_id": event.causation_id,
        "body": body,
        "prev_hash": previous,
        "hash": digest,
    }


def _is(key: Key) -> tuple[Any, Any]:
    return HEADS.c.tenant_id == key[0], HEADS.c.trace_id == key[1]


def _remember(state: TraceState) -> None:
    _known[state.tenant_id, state.trace_id, state.sequence, state.hash] = state
    while len(_known) > KNOWN_STATES:
        _known.popitem(last=False)
