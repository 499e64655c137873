"""Freezes: windows in which no release of their scope may start. Deny beats allow.

    freezes:
      - {name: weekend, environments: [prod], cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}
      - {name: year-end, from: 2026-12-18, to: 2027-01-04, timezone: Europe/Paris, allow: {labels: [hotfix]}}
      - {name: holidays, ics: calendars/holidays.ics, timezone: Europe/Paris}

A date is its local midnight, so `to` is the first day that is open again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile, tee
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, PrivateAttr, model_validator

from bot.domain.model import rfc3339
from policies import spans
from policies.facts import ReleaseFacts
from policies.schema import (
    CLOSED,
    ONE_OR_MORE,
    Cron,
    Duration,
    File,
    Line,
    Lines,
    LocalMoment,
    Words,
    Zone,
    wrong,
)
from policies.spans import Span

AHEAD, DAYS = 8, 64
"""So many windows are kept of a day, and so many days: verdicts of one day ask the same again and again."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom one asks."""

    environment: str
    tenant: str | None = None
    module: str | None = None


class Allow(BaseModel):
    """An exception: of every key that is written, one entry must fit."""

    model_config = CLOSED

    labels: Annotated[Lines, ONE_OR_MORE] = ()
    modules: Annotated[Words, ONE_OR_MORE] = ()
    authors: Annotated[Words, ONE_OR_MORE] = ()
    roles: Annotated[Words, ONE_OR_MORE] = ()
    """Of the author."""
    severities: Annotated[Words, ONE_OR_MORE] = ()
    """What a label `severity:critical` says."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.labels or self.modules or self.authors or self.roles or self.severities):
            raise wrong(
                "an exception names labels, modules, authors, roles or severities: an empty one would lift"
                " the freeze for all"
            )
        return self

    def fits(self, facts: ReleaseFacts, held: Iterable[str] = ()) -> bool:
        """Whether a release is excepted. `held`: the roles of its author."""
        asked: tuple[tuple[Iterable[str], Iterable[str]], ...] = (
            (self.labels, facts.labels),
            (self.modules, (facts.module,)),
            (self.authors, (facts.author,)),
            (self.roles, held),
            (self.severities, facts.severities),
        )
        return all(
            {w.casefold() for w in wanted} & {g.casefold() for g in got} for wanted, got in asked if wanted
        )


class Freeze(BaseModel):
    """One freeze: `cron` and `duration`, or `from` and `to`, or `ics`. An empty scope means everything."""

    model_config = CLOSED

    name: Line
    environments: Annotated[Words, ONE_OR_MORE] = ()
    tenants: Annotated[Words, ONE_OR_MORE] = ()
    modules: Annotated[Words, ONE_OR_MORE] = ()
    timezone: Zone = "UTC"
    cron: Cron | None = None
    duration: Duration | None = None
    from_: LocalMoment | None = Field(default=None, alias="from")
    to: LocalMoment | None = None
    ics: File | None = None
    allow: Allow | None = None
    in_progress: Literal["finish", "pause"] = "finish"
    """`pause`: what had started takes no further step while it is closed; a failed attempt goes back."""

    _days: dict[tuple[datetime, str | None], tuple[Span, ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = tuple(bool(value) for value in (self.cron, self.duration, self.from_, self.to, self.ics))
        if given not in {
            (True, True, False, False, False),
            (False, False, True, True, False),
            (False,) * 4 + (True,),
        }:
            raise wrong("a freeze has either `cron` and `duration`, or `from` and `to`, or `ics`")
        if self.from_ is not None and self.to is not None and self._local(self.from_) >= self._local(self.to):
            raise wrong(f"the freeze {self.name!r} ends before it begins")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def _local(self, moment: Any) -> datetime:
        return spans.instant(spans.midnight(moment), self.zone)

    def covers(self, scope: Scope) -> bool:
        """Whether it is for them. A freeze of some tenants or modules is for nobody who is not named."""
        asked = (
            (self.environments, scope.environment),
            (self.tenants, scope.tenant),
            (self.modules, scope.module),
        )
        return all(not scope or value in scope for scope, value in asked)

    def windows(self, since: datetime, calendars: Mapping[str, str]) -> Iterator[Span]:
        """The windows that end after `since`, joined where they touch. Raises CalendarError."""
        known = self._first(since.astimezone(UTC), calendars)
        yield from (span for span in known if span.end > since)
        if len(known) == AHEAD:
            yield from spans.joined(self.pieces(known[-1].end, calendars))

    def _first(self, since: datetime, calendars: Mapping[str, str]) -> tuple[Span, ...]:
        """The first windows that end after the day of `since` began, the same for the whole day."""
        day = since.replace(hour=0, minute=0, second=0, microsecond=0)
        key = (day, calendars.get(str(self.ics)) if self.ics else None)
        found = self._days.get(key)
        if found is None:
            found = tuple(islice(spans.joined(self.pieces(day, calendars)), AHEAD))
            if len(self._days) >= DAYS:
                self._days.clear()
            self._days[key] = found
        return found

    def pieces(
        self, since: datetime, calendars: Mapping[str, str], until: datetime | None = None
    ) -> Iterator[Span]:
        """As `windows`, each start by itself, at least as far as `until`."""
        if self.cron and self.duration:
            return spans.cron_spans(self.name, self.cron, self.duration, self.zone, since)
        if self.ics:
            return self._events(since, calendars, until)
        once = Span(self._local(self.from_), self._local(self.to), (self.name,))
        return iter([once] if once.end > since else [])

    def _events(
        self, since: datetime, calendars: Mapping[str, str], until: datetime | None
    ) -> Iterator[Span]:
        path = str(self.ics)
        if path not in calendars:
            raise spans.CalendarError(f"the calendar {path} could not be found")
        try:
            return spans.calendar_spans(self.name, calendars[path], self.zone, since, until)
        except spans.CalendarError as error:
            raise spans.CalendarError(f"the calendar {path} {error}") from None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an environment at a moment.

    `next_open` and `next_close` are the next changes to each, if any.
    """

    closed: bool
    reason: str
    next_open: datetime | None
    next_close: datetime | None
    windows: tuple[str, ...] = ()
    """Names of the freezes that close it now."""
    lifted: tuple[str, ...] = ()
    """Names of those that would, without an override or an exception."""
    paused: bool = False
    """What had started takes no further step now."""

    def to_json(self) -> dict[str, Any]:
        """`{closed, reason, next_open, next_close, windows}`, and `paused` where it is so."""
        shape: dict[str, Any] = {
            "closed": self.closed,
            "reason": self.reason,
            "next_open": rfc3339(self.next_open) if self.next_open else None,
            "next_close": rfc3339(self.next_close) if self.next_close else None,
            "windows": list(self.windows),
        }
        return shape | {"paused": True} if self.paused else shape


def in_scope(freezes: Iterable[Freeze], facts: ReleaseFacts) -> list[Freeze]:
    """The freezes that a release must mind, exceptions left out of account."""
    scope = Scope(facts.environment, facts.tenant, facts.module)
    return [freeze for freeze in freezes if freeze.covers(scope)]


def lifted(freeze: Freeze, facts: ReleaseFacts) -> list[Span]:
    """The windows of this freeze that are overridden for this release, each no longer than itself."""
    found = []
    for override in facts.overrides:
        bound = not override.revision or override.revision in facts.same_tree
        if override.window == freeze.name and override.environment == facts.environment and bound:
            at = override.at.astimezone(UTC)
            window = next(freeze.windows(at, facts.calendars), None)
            if window and window.start <= at:
                end = min(window.end, override.until.astimezone(UTC)) if override.until else window.end
                found.append(Span(window.start, end, window.names))
    return found


def status(freezes: Iterable[Freeze], facts: ReleaseFacts, now: datetime, held: Iterable[str] = ()) -> Status:
    """Whether a release may start now, and when that changes. `held`: roles of its author.

    Raises CalendarError.
    """
    now = now.astimezone(UTC)
    streams, closing, would = [], [], []
    for freeze in in_scope(freezes, facts):
        every, kept = tee(freeze.windows(now, facts.calendars))
        effective = (
            iter(())
            if freeze.allow and freeze.allow.fits(facts, held)
            else spans.without(kept, lifted(freeze, facts))
        )
        ahead, current = tee(effective)
        streams.append(ahead)
        if window := _at(current, now):
            closing.append((freeze, window))
        elif _at(every, now):
            would.append(freeze.name)
    next_open, next_close = _changes(spans.together(streams), now)
    return Status(
        closed=bool(closing),
        reason="; ".join(
            f"{window.names[0]} until {say(window.end, freeze.zone)}" for freeze, window in closing
        ),
        next_open=next_open,
        next_close=next_close,
        windows=tuple(freeze.name for freeze, _ in closing),
        lifted=tuple(would),
        paused=any(freeze.in_progress == "pause" for freeze, _ in closing),
    )


def _at(windows: Iterator[Span], now: datetime) -> Span | None:
    window = next((span for span in windows if span.end > now), None)
    return window if window and window.start <= now else None


def _changes(blocks: Iterator[Span], now: datetime) -> tuple[datetime | None, datetime | None]:
    coming = (block for block in blocks if block.end > now)
    first = next(coming, None)
    if first is None:
        return None, None
    if first.start > now:
        return first.end, first.start
    after = next(coming, None)
    return first.end, after.start if after else None


def closed(
    freezes: Iterable[Freeze], begin: datetime, end: datetime, scope: Scope, calendars: Mapping[str, str]
) -> list[Span]:
    """What is closed between two moments: merged, half-open, UTC, clipped to them (`policy calendar`)."""
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    # Clipped before they are joined: a freeze that never opens has no end to wait for.
    scoped = [freeze for freeze in freezes if freeze.covers(scope)]
    pieces = (_clipped(freeze.pieces(begin, calendars, end), begin, end) for freeze in scoped)
    return list(spans.together(pieces, longest=None))


def _clipped(windows: Iterator[Span], begin: datetime, end: datetime) -> Iterator[Span]:
    for window in takewhile(lambda span: span.start < end, windows):
        yield Span(max(window.start, begin), min(window.end, end), window.names)


def say(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as a person at that place reads it: `Mon 2026-11-23 08:00 Europe/Paris`."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def window_end(freezes: Iterable[Freeze], name: str, facts: ReleaseFacts, now: datetime) -> datetime | None:
    """When the window that is open now under this name ends: the `until` of an override.

    None: no such window now.
    """
    for freeze in in_scope(freezes, facts):
        window = _at(freeze.windows(now.astimezone(UTC), facts.calendars), now.astimezone(UTC))
        if freeze.name == name and window:
            return window.end
    return None
