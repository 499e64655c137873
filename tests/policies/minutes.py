"""An independent meaning of freezes: each minute asked by itself, no cron library, no interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Minute:
    """One minute of the world, and what the clocks of a place show then."""

    at: datetime
    wall: datetime
    repeated: bool
    skipped: tuple[datetime, ...]
    """Wall times that no clock showed, because the clocks were put forward to this minute."""


@lru_cache(maxsize=32)
def clock(zone: str, begin: datetime, end: datetime) -> tuple[Minute, ...]:
    """Every minute between two UTC moments."""
    found, shown, place = [], set(), ZoneInfo(zone)
    moment = begin
    while moment < end:
        wall = moment.astimezone(place).replace(tzinfo=None, fold=0)
        skipped = ()
        if found and wall - found[-1].wall > MINUTE:
            missing = (wall - found[-1].wall) // MINUTE
            skipped = tuple(found[-1].wall + step * MINUTE for step in range(1, missing))
        found.append(Minute(moment, wall, wall in shown, skipped))
        shown.add(wall)
        moment += MINUTE
    return tuple(found)


@dataclass(frozen=True)
class Times:
    """A cron expression as sets: what it matches needs no parser. Weekdays count from Sunday = 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int] = frozenset(range(7))

    @property
    def cron(self) -> str:
        def written(chosen: frozenset[int], every: int) -> str:
            return "*" if len(chosen) == every else ",".join(map(str, sorted(chosen)))

        return f"{written(self.minutes, 60)} {written(self.hours, 24)} * * {written(self.weekdays, 7)}"

    def match(self, wall: datetime) -> bool:
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and (wall.weekday() + 1) % 7 in self.weekdays
        )


def starts(times: Times, minute: Minute) -> bool:
    """A repeated wall time starts once, the first; a skipped one when the gap is over."""
    first = times.match(minute.wall) and not minute.repeated
    return first or any(times.match(missing) for missing in minute.skipped)


def closed_by_cron(times: Times, duration: timedelta, minutes: tuple[Minute, ...]) -> frozenset[datetime]:
    """The minutes in which some window is open: so much time has not passed since the last start."""
    found, last = [], None
    for minute in minutes:
        last = minute.at if starts(times, minute) else last
        if last is not None and minute.at - last < duration:
            found.append(minute.at)
    return frozenset(found)


def closed_by_dates(first: date, after: date, minutes: tuple[Minute, ...]) -> frozenset[datetime]:
    """From the first minute that shows the first date until the first that shows the other."""
    begin = next(minute.at for minute in minutes if minute.wall.date() >= first)
    end = next(minute.at for minute in minutes if minute.wall.date() >= after)
    return frozenset(minute.at for minute in minutes if begin <= minute.at < end)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@dataclass(frozen=True)
class Weekly:
    """An event that repeats each week: from a wall time of a weekday (Monday = 0), so many minutes long."""

    weekday: int
    hour: int
    minute: int
    length: int


def closed_weekly(event: Weekly, minutes: tuple[Minute, ...]) -> frozenset[datetime]:
    """Begins when the clock shows the wall time (the first, if twice; the gap's end, if never), and ends when it
    shows the wall time that lies `length` later, by the same rule.
    """
    shown: dict[datetime, datetime] = {}
    for minute in minutes:
        shown.setdefault(minute.wall, minute.at)
        for missing in minute.skipped:
            shown.setdefault(missing, minute.at)
    found: set[datetime] = set()
    for wall, begin in shown.items():
        if (wall.weekday(), wall.hour, wall.minute) == (event.weekday, event.hour, event.minute):
            end = shown.get(wall + event.length * MINUTE, datetime.max.replace(tzinfo=UTC))
            found |= {minute.at for minute in minutes if begin <= minute.at < end}
    return frozenset(found)
