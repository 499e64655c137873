"""Events for tests of the log: small, valid, told apart by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.domain.event import Event

BEGAN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def fact(number: int, trace: str = "trace-1", tenant: str = "acme", **more: object) -> Event:
    """The `number`-th fact of a trace."""
    fields = {
        "id": f"{trace}-{number}",
        "source": "tests",
        "type": "TestsExecuted",
        "time": BEGAN + timedelta(seconds=number),
        "tenant_id": tenant,
        "trace_id": trace,
        "actor": "ada",
        "data": {"number": number, "text": "größe \u2028 \U0001f642"},
    }
    return Event.model_validate(fields | more)
