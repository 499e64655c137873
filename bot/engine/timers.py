"""`fire_timer`: at its moment a timer puts its draft into its trace's inbox; a shared one into the inboxes of
all open traces of its repository.

Whether it still matters, the handlers decide.
"""

from __future__ import annotations

import json

from bot.domain.event import Draft, Event, derived_id
from bot.engine import sweeps
from bot.engine.wiring import Wiring
from bot.intake.arrivals import Arrival, event_arrival, now


def fire(wiring: Wiring, tenant: str, trace: str, name: str, draft: str) -> None:
    """Deliver the timer's draft. Once: the inbox knows the timer's name."""
    wiring.inbox.receive([_arrival(wiring, tenant, trace, name, _draft(draft))])


def fire_shared(wiring: Wiring, tenant: str, forge: str, repository: str, name: str, draft: str) -> None:
    """Deliver a shared timer's draft, some hundred traces at a time. Done again, the inbox knows them."""
    said, after = _draft(draft), ""
    while traces := _waiting(wiring, (tenant, forge, repository), after):
        wiring.inbox.receive([_arrival(wiring, tenant, trace, name, said) for trace in traces])
        after = traces[-1]


def _waiting(wiring: Wiring, where: tuple[str, str, str], after: str) -> list[str]:
    with wiring.store.read() as session:
        return sweeps.open_traces(session, *where, after=after)


def _draft(text: str) -> Draft:
    return Draft.model_validate(json.loads(text))


def _arrival(wiring: Wiring, tenant: str, trace: str, name: str, said: Draft) -> Arrival:
    fields = {key: value for key, value in said.model_dump().items() if value is not None}
    event = Event(
        **fields,
        id=derived_id(tenant, trace, "timer", name),
        source="timer",
        time=now(),  # type: ignore[arg-type]
        tenant_id=tenant,
        trace_id=trace,
    )
    return event_arrival(event, "timer", f"{trace}/{name}", wiring.settings.shards)
