"""What is closed, as an iCalendar text for other people's calendars. Written by the library icalendar."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from policies import freezes
from policies.freezes import Scope
from policies.model import Policy
from policies.spans import Span

PAST, AHEAD = timedelta(days=31), timedelta(days=366)
PRODUCT = "-//Pointsman//Release freezes//EN"


def export(
    policy: Policy,
    calendars: Mapping[str, str],
    now: datetime,
    *,
    tenant: str | None = None,
    environment: str | None = None,
    name: str = "Release freezes",
) -> str:
    """Everything closed from a month ago until a year ahead, one event per environment and window.

    Raises CalendarError when a calendar that the policy names can not be read.
    """
    calendar = Calendar()
    for key, value in (("prodid", PRODUCT), ("version", "2.0"), ("x-wr-calname", name)):
        calendar.add(key, value)
    for where in [environment] if environment else list(policy.environments):
        scope = Scope(where, tenant)
        for span in freezes.closed(policy.freezes, now - PAST, now + AHEAD, scope, calendars):
            calendar.add_component(_event(where, span, now))
    return bytes(calendar.to_ical()).decode()


def _event(environment: str, span: Span, now: datetime) -> Event:
    """A window keeps its id as long as its start and its names do, so that a calendar moves its end."""
    event = Event()
    known = f"{environment}|{span.start.isoformat()}|{'|'.join(span.names)}"
    event.add("uid", f"{hashlib.sha256(known.encode()).hexdigest()[:32]}@pointsman")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", span.start)
    event.add("dtend", span.end)
    event.add("summary", f"{environment} is frozen: {', '.join(span.names)}")
    event.add("categories", [environment])
    return event
