"""When a freeze is closed: its windows as half-open UTC intervals.

cronsim and recurring-ical-events know the calendars. One rule for every local time, whether a cron start, a
date's midnight or a calendar's event: a repeated one means the first, a skipped one the end of the gap.
Durations are elapsed time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from cronsim import CronSim

LONGEST_GAP = timedelta(hours=25)
"""No zone has ever skipped more than a day."""
MINUTE = timedelta(minutes=1)
CHAINED = 3_000
"""Windows that touch are followed this far; a freeze that never opens has no end to announce."""
HORIZON = timedelta(days=800)
"""Calendars are searched this far for their next event."""
_TOO_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY)", re.IGNORECASE)


class CalendarError(ValueError):
    """A calendar that can not be read or holds no event."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Closed from `start` until just before `end` (aware UTC), by the windows of these names."""

    start: datetime
    end: datetime
    names: tuple[str, ...]


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC moment of a local time; an aware one is that moment already."""
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    while True:
        moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
            return moment
        # Skipped: no clock shows it. The first whole minute after it that a clock shows is the gap's end.
        local = local.replace(second=0, microsecond=0) + MINUTE


def midnight(day: date | datetime) -> datetime:
    """A date is its first moment, local."""
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def cron_spans(name: str, cron: str, duration: timedelta, zone: ZoneInfo, since: datetime) -> Iterator[Span]:
    """The windows that end after `since`, in order of their starts."""
    # cronsim walks plain local time, where no hour is missing or repeated; `instant` says what it means here.
    local = (since - duration - LONGEST_GAP).astimezone(zone).replace(tzinfo=None)
    before = None
    for tick in CronSim(cron, local):
        start = instant(tick, zone)
        if start != before and start + duration > since:
            yield Span(start, start + duration, (name,))
        before = start


@lru_cache(maxsize=64)
def read_calendar(text: str) -> icalendar.Calendar:
    """ICalendar text.

    Raises CalendarError, also when there is no event in it: an empty calendar is a mistake.
    """
    if _TOO_OFTEN.search(text):
        raise CalendarError("repeats every second or minute, which is no calendar of freezes")
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise CalendarError(f"is not an iCalendar file ({str(error).splitlines()[0][:100]})") from None
    if not calendar.walk("VEVENT"):
        raise CalendarError("has no events")
    return calendar


def calendar_spans(
    name: str, text: str, zone: ZoneInfo, since: datetime, until: datetime | None = None
) -> Iterator[Span]:
    """The events that end after `since`, in order. Floating times and whole days are local to `zone`."""
    calendar = read_calendar(text)
    # The library compares floating times as if they were UTC: ask for a day more on both sides, decide here.
    begin, end = since - LONGEST_GAP, (until or since + HORIZON) + LONGEST_GAP
    try:
        events = recurring_ical_events.of(calendar).between(begin, end)
        found = [_event_span(name, event, zone) for event in events if event.get("STATUS") != "CANCELLED"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise CalendarError(f"has an event that can not be read ({str(error)[:100]})") from None
    return iter(sorted(span for span in found if span.start < span.end and span.end > since))


def _event_span(name: str, event: icalendar.Event, zone: ZoneInfo) -> Span:
    title = f"{name}: {event['SUMMARY']}" if event.get("SUMMARY") else name
    return Span(instant(midnight(event.start), zone), instant(midnight(event.end), zone), (title,))


def joined(spans: Iterable[Span], longest: int | None = CHAINED) -> Iterator[Span]:
    """Spans in order of their starts -> spans that neither overlap nor touch, of at most `longest` links."""
    current: Span | None = None
    links = 0
    for span in spans:
        if current is None:
            current = span
        elif span.start > current.end:
            yield current
            current, links = span, 0
        else:
            names = tuple(dict.fromkeys((*current.names, *span.names)))
            current, links = Span(current.start, max(current.end, span.end), names), links + 1
        if links == longest:
            break
    if current is not None:
        yield current


def together(many: Iterable[Iterable[Span]], longest: int | None = CHAINED) -> Iterator[Span]:
    """Several streams in order as one, joined."""
    return joined(merge(*many), longest)


def without(spans: Iterable[Span], lifted: Iterable[Span]) -> Iterator[Span]:
    """What remains of spans outside the lifted ones."""
    cuts = sorted(lifted)
    for span in spans:
        edges = [span.start]
        for cut in cuts:
            if cut.end > span.start and cut.start < span.end:
                edges += [max(edges[-1], cut.start), max(edges[-1], cut.end)]
        edges.append(max(edges[-1], span.end))
        for index, (start, end) in enumerate(pairwise(edges)):
            if index % 2 == 0 and start < end:
                yield Span(start, end, span.names)
