"""`fire_timer`: at its moment a timer puts its draft into its trace's inbox.

Whether it still matters, the handlers decide.
"""

from __future__ import annotations

import json

from bot.domain.event import Draft, Event, derived_id
from bot.engine.wiring import Wiring
from bot.intake.arrivals import event_arrival, now


def fire(wiring: Wiring, tenant: str, trace: str, name: str, draft: str) -> None:
    """Deliver the timer's draft. Once: the inbox knows the timer's name."""
    said = Draft.model_validate(json.loads(draft))
    fields = {key: value for key, value in said.model_dump().items() if value is not None}
    event = Event(
        **fields,
        id=derived_id(tenant, trace, "timer", name),
        source="timer",
        time=now(),  # type: ignore[arg-type]
        tenant_id=tenant,
        trace_id=trace,
    )
    wiring.inbox.receive([event_arrival(event, "timer", f"{trace}/{name}", wiring.settings.shards)])
