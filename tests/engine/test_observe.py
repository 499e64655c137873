"""What was seen outside becomes an event of its trace: once under its name, however often it is seen."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.deploy.services.watch import Observation
from bot.domain.event import Draft
from bot.engine import schedules
from tests.engine.rig import count, of, running, wait_for


def test_the_same_observation_is_one_event(database_url: str) -> None:
    said = Draft(type="TriggerRequested", data={"reason": "service-down"}, environment="staging")
    sights = [Observation("acme", "trace-1", "down-1", said), Observation("acme", "trace-1", "down-2", said)]
    with running(database_url, observe=lambda: sights[:1]) as runtime:
        schedules.observe(runtime.wiring, datetime.now(UTC))
        schedules.observe(runtime.wiring, datetime.now(UTC))
        wait_for(lambda: of(runtime.store, "trace-1", "TriggerRequested"))

        object.__setattr__(runtime.wiring, "observe", lambda: sights)
        schedules.observe(runtime.wiring, datetime.now(UTC))
        wait_for(lambda: len(of(runtime.store, "trace-1", "TriggerRequested")) == 2)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)

        events = of(runtime.store, "trace-1", "TriggerRequested")
        assert [event.environment for event in events] == ["staging", "staging"]
