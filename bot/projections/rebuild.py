"""Heads, slots, locks and trace keys made anew from what happened, by the functions that keep them fresh.

What happened is the log and, for the keys, the deliveries: a fact's hints lead to its trace from the moment
the delivery is read, and not all of them are in the event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.domain.errors import Invalid
from bot.domain.event import Event, chain, derived_id
from bot.domain.trace import TraceState, apply
from bot.engine.drain import LOCK, SHARD_LOCK
from bot.forges.port import Forge
from bot.intake.arrivals import DELIVERY, EVENT
from bot.log.append import UPSERT_HEAD
from bot.log.fold import head_values
from bot.log.tables import DONE, EVENTS, GENERATIONS, HEADS, INBOX
from bot.projections.locks import LOCKS, Locks
from bot.projections.slots import SLOTS, Slots
from bot.projections.trace_keys import KEYS, TraceKeys

Key = tuple[str, str]
"""Tenant and trace."""
Hints = dict[tuple[str, str], tuple[str, ...]]
"""By tenant and id of the event that a delivery led to."""


class Unsound(Exception):
    """The log is not what was written. Rebuilt from it, the read models would hide that."""


def rebuild(session: Session, forges: Mapping[str, Forge]) -> dict[str, int]:
    """Drop and make the read models, in the caller's transaction; returns how many rows of each.

    Raises Unsound. Holds every trace's state in memory. Workers wait meanwhile, and need not be stopped.
    """
    _alone(session)
    heads = {(row.tenant_id, row.trace_id): (row.sequence, row.hash) for row in session.execute(_heads())}
    for table in (HEADS, SLOTS, LOCKS, KEYS):
        session.execute(sa.delete(table))
    hints = _hints(session, forges)
    slots, locks, keys = Slots(session), Locks(session), TraceKeys(session)
    states: dict[Key, TraceState] = {}
    last: dict[Key, Event] = {}
    for event, state in _history(session, states):
        keys.establish(event.tenant_id, event.trace_id, hints.pop((event.tenant_id, event.id), ()))
        slots.record(event, state.module_id)
        locks.record(event)
        keys.record(event, state)
        last[event.tenant_id, event.trace_id] = event
    for key, known in heads.items():
        if key not in states or known != (states[key].sequence, states[key].hash):
            raise Unsound(f"{key[1]} does not end where its head says; see `pointsman trace verify`")
    _waiting(session, keys, hints)
    slots.flush()
    locks.flush()
    keys.flush()
    if last:
        session.execute(UPSERT_HEAD, [head_values(states[key], event) for key, event in last.items()])
    tables = {"events": EVENTS, "traces": HEADS, "slots": SLOTS, "locks": LOCKS, "keys": KEYS}
    count = sa.select(sa.func.count())
    return {name: int(session.scalar(count.select_from(table)) or 0) for name, table in tables.items()}


def _alone(session: Session) -> None:
    """No drain runs beside this: all wait for their shard (SQLite has one writer anyway)."""
    if session.get_bind().dialect.name != "sqlite":
        for shard in session.scalars(sa.select(GENERATIONS.c.shard).order_by(GENERATIONS.c.shard)).all():
            session.execute(LOCK, {"space": SHARD_LOCK, "shard": shard})


def _heads() -> Any:
    return sa.select(HEADS.c.tenant_id, HEADS.c.trace_id, HEADS.c.sequence, HEADS.c.hash)


def _history(session: Session, states: dict[Key, TraceState]) -> Iterator[tuple[Event, TraceState]]:
    """Every event as it was appended, with its trace's state after it. Raises Unsound."""
    query = sa.select(EVENTS.c.body, EVENTS.c.hash).order_by(EVENTS.c.position)
    for row in session.execute(query, execution_options={"yield_per": 500}):
        body = bytes(row.body)
        event = Event.model_validate_json(body)
        key = (event.tenant_id, event.trace_id)
        before = states.get(key) or TraceState(tenant_id=key[0], trace_id=key[1])
        if event.sequence != before.sequence + 1 or row.hash != chain(before.hash, body):
            raise Unsound(f"{key[1]} is broken after {before.sequence} events; see `pointsman trace verify`")
        states[key] = apply(before, event, row.hash)
        yield event, states[key]


def _hints(session: Session, forges: Mapping[str, Forge]) -> Hints:
    found: Hints = {}
    query = sa.select(INBOX).where(INBOX.c.kind == DELIVERY, INBOX.c.done == DONE)
    for row in session.execute(query, execution_options={"yield_per": 500}):
        for index, hints in enumerate(_hints_of(row, forges)):
            cause = derived_id(row.tenant, row.source, row.delivery_id, str(index))
            found[row.tenant, cause] = hints
    return found


def _hints_of(row: Any, forges: Mapping[str, Forge]) -> list[tuple[str, ...]]:
    """Of each fact of a delivery; a purged one (bot/engine/purge.py) has kept nothing else."""
    if not row.headers:
        return [tuple(hints) for hints in json.loads(row.body)["hints"]]
    forge = forges.get(row.source.removeprefix("webhooks/"))
    try:
        facts = forge.normalise(json.loads(row.headers), bytes(row.body)) if forge else []
    except Invalid:
        return []  # an older release could read it; the log has what it said
    return [fact.hints for fact in facts]


def _waiting(session: Session, keys: TraceKeys, hints: Hints) -> None:
    """Facts that have their trace and are not in the log yet."""
    query = sa.select(INBOX).where(INBOX.c.kind == EVENT, INBOX.c.done != DONE).order_by(INBOX.c.seq)
    for row in session.execute(query):
        event = Event.model_validate_json(bytes(row.body))
        keys.establish(event.tenant_id, event.trace_id, hints.pop((event.tenant_id, event.id), ()))
