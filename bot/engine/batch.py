"""Inbox rows become history: normalise, append, fold, decide, all in the caller's one transaction.

    batch = Batch(session, wiring, now)
    batch.prepare(rows); [batch.take(row) for row in rows]; batch.flush()

Nothing here leaves the process: what a decision wants from outside is an effect.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from bot.domain.decision import NOTHING, Decision, Message, Timer
from bot.domain.event import Draft, Event, derived_id, stamp
from bot.domain.trace import TraceState
from bot.domain.view import View
from bot.engine import outbox, sweeps
from bot.engine.wiring import Wiring
from bot.forges.port import RepositoryFact
from bot.intake.arrivals import DELIVERY, Arrival, event_arrival, insert
from bot.log.append import Ledger
from bot.projections.locks import Locks
from bot.projections.slots import Slots
from bot.projections.trace_keys import TraceKeys

MOST_EVENTS = 200
"""Events that one row may lead to; more is a decision that feeds itself."""


class Runaway(Exception):
    """One fact led to too many others."""


class Batch:
    """The work of one transaction over rows of one shard."""

    def __init__(self, session: Session, wiring: Wiring) -> None:
        self._session = session
        self._wiring = wiring
        self._ledger = Ledger(session)
        self._slots = Slots(session)
        self._locks = Locks(session)
        self._keys = TraceKeys(session)
        self._facts: dict[int, list[RepositoryFact]] = {}
        self._arrivals: list[Arrival] = []
        self._effects: list[outbox.Wanted] = []
        self._timers: list[tuple[Event, Timer]] = []
        self._parsed: dict[int, Event] = {}
        self._known: set[tuple[str, str]] = set()
        self._shared: set[tuple[str, str, str]] = set()

    def prepare(self, rows: Sequence[Any]) -> None:
        """Load what the rows need with few queries. Raises what `take` would raise for an unreadable row."""
        self._facts = {row.seq: self._normalised(row) for row in rows if row.kind == DELIVERY}
        for tenant in {row.tenant for row in rows}:
            facts = (fact for row in rows if row.tenant == tenant for fact in self._facts.get(row.seq, ()))
            self._keys.preload(tenant, (hint for fact in facts for hint in fact.hints))
        self._parsed = {
            row.seq: Event.model_validate_json(bytes(row.body)) for row in rows if row.kind != DELIVERY
        }
        events = self._parsed.values()
        for tenant in {event.tenant_id for event in events}:
            ids = [event.id for event in events if event.tenant_id == tenant]
            self._known |= {(tenant, found) for found in self._ledger.known(tenant, ids)}
        keys = {(event.tenant_id, event.trace_id) for event in events}
        self._ledger.preload(keys)
        # In one order everywhere, so that two transactions do not wait for each other's modules.
        for tenant, module in sorted(
            {(tenant, self._ledger.state(tenant, trace).module_id) for tenant, trace in keys}
        ):
            self._slots.of(tenant, module)

    def take(self, row: Any) -> None:
        """Apply one row. Raises whatever normalising, folding or deciding raises."""
        if row.kind == DELIVERY:
            self._deliver(row)
            return
        event = self._parsed[row.seq]
        if (event.tenant_id, event.id) not in self._known:
            self._known.add((event.tenant_id, event.id))
            self._apply(event, datetime.fromisoformat(row.received_at))

    def flush(self) -> dict[int, int]:
        """Write everything. Returns the wake-ups to remember after the commit."""
        self._ledger.flush()
        self._slots.flush()
        self._locks.flush()
        self._keys.flush()
        outbox.write(self._session, self._wiring, self._effects)
        for event, timer in self._timers:
            state = self._ledger.state(event.tenant_id, event.trace_id)
            if not self._is_set(event, timer, state):
                outbox.set_timer(self._session, self._wiring, event, timer, state)
        insert(self._session, self._arrivals)
        return self._wiring.bell.ring(self._session, (arrival.shard for arrival in self._arrivals))

    def _is_set(self, event: Event, timer: Timer, state: TraceState) -> bool:
        """Whether this transaction has set the same shared timer already, not one of its own."""
        if not outbox.is_shared(timer, state):
            return False
        key = (event.tenant_id, f"{state.forge}:{state.repository}", timer.name)
        known = key in self._shared
        self._shared.add(key)
        return known

    def _normalised(self, row: Any) -> list[RepositoryFact]:
        forge = self._wiring.forges[row.source.removeprefix("webhooks/")]
        return forge.normalise(json.loads(row.headers), bytes(row.body))

    def _deliver(self, row: Any) -> None:
        for index, fact in enumerate(self._facts[row.seq]):
            cause = _identity(fact, row, index)
            trace = self._keys.resolve(
                row.tenant,
                fact,
                cause=cause,
                repository=lambda name: self._ledger.state(row.tenant, name).repository,
            )
            if fact.draft.type == "RepositoryRenamed":
                trace = self._renamed(row, fact)
            if trace is None:
                continue
            # At once: this repository's next delivery may come before the event is appended in
            # its trace's shard.
            self._keys.establish(row.tenant, trace, fact.hints)
            event = _event(fact.draft, row, trace, cause)
            delivery_id = f"{row.delivery_id}/{index}"
            self._arrivals.append(event_arrival(event, row.source, delivery_id, self._wiring.settings.shards))

    def _renamed(self, row: Any, fact: RepositoryFact) -> str | None:
        """The trace that tells the others; their keys lead to them under the new name from now on."""
        forge, previous = row.source.removeprefix("webhooks/"), fact.draft.data["previous"]
        self._keys.rename(row.tenant, forge, fact.draft.data["repository"], previous)
        return sweeps.first_in(self._session, row.tenant, forge, previous)

    def _apply(self, first: Event, now: datetime) -> None:
        """Append `first` and, breadth first, all that is decided from it."""
        waiting = deque([first])
        count = 0
        while waiting:
            if (count := count + 1) > MOST_EVENTS:
                raise Runaway(f"{first.type} led to more than {MOST_EVENTS} events")
            event = self._ledger.append(waiting.popleft())
            decision = self._wiring.decide(event, self._view(event, now))
            if decision != NOTHING:
                # Senders state their own times; what follows from a fact happened when we received it.
                cause = event.model_copy(update={"time": now})
                waiting.extend(
                    stamp(draft, cause=cause, index=index) for index, draft in enumerate(decision.events)
                )
                self._send(event, cause, decision)

    def _view(self, event: Event, now: datetime) -> View:
        tenant, trace = event.tenant_id, event.trace_id
        state = self._ledger.state(tenant, trace)
        module = state.module_id
        self._slots.record(event, module)
        self._locks.record(event)
        self._keys.record(event, state)
        return View(
            now=now,
            state=state,
            slots=self._slots.of(tenant, module),
            locks=self._locks.of(tenant, state.forge, state.repository),
            find=partial(self._ledger.find, tenant, trace),
            base_url=self._wiring.settings.base_url,
            attests=self._wiring.settings.attestation_key is not None,
            creates_in=self._wiring.settings.create_repositories_in,
        )

    def _send(self, event: Event, cause: Event, decision: Decision) -> None:
        self._effects.extend(
            outbox.Wanted(event, index, effect) for index, effect in enumerate(decision.effects)
        )
        self._timers.extend((event, timer) for timer in decision.timers)
        self._arrivals.extend(self._message(cause, message) for message in decision.messages)
        for sweep in decision.sweeps:
            shards = self._wiring.settings.shards
            self._arrivals.extend(sweeps.expand(self._session, cause, sweep, shards))

    def _message(self, cause: Event, message: Message) -> Arrival:
        told_id = derived_id(cause.tenant_id, message.trace_id, "message", message.name)
        told = stamp(message.draft, cause=cause, index=0)
        told = told.model_copy(update={"trace_id": message.trace_id, "id": told_id})
        return event_arrival(
            told, "message", f"{message.trace_id}/{message.name}", self._wiring.settings.shards
        )


def _identity(fact: RepositoryFact, row: Any, index: int) -> str:
    """By what a fact is known when it is told again: by its delivery.

    A comment by itself, as commands are in it: two webhooks may tell of one, and who can see their calls can
    send a signed one again under another id.
    """
    told: tuple[str, ...] = (row.delivery_id, str(index))
    if fact.draft.type == "CommentCreated":
        data = fact.draft.data
        told = (fact.repository, f"{data.get('on', '')}#{data['change']}", "comment", str(data["commentId"]))
    return derived_id(row.tenant, row.source, *told)


def _event(draft: Draft, row: Any, trace: str, event_id: str) -> Event:
    said = {name: value for name, value in draft.model_dump().items() if value is not None}
    return Event(
        **said, id=event_id, source=row.source, time=row.received_at, tenant_id=row.tenant, trace_id=trace
    )
