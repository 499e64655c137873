"""Freezes against a minute-by-minute oracle, over every kind of clock change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from policies import freezes, spans
from policies.freezes import Freeze, Scope
from tests.policies.builders import facts
from tests.policies.minutes import MINUTE, Times, clock, closed_by_cron, closed_by_dates, utc

# Around each change of clocks; past and future alike. UTC and Kolkata have none.
CHANGES = [
    ("Europe/Paris", utc(2026, 3, 29)),
    ("Europe/Paris", utc(2026, 10, 25)),
    ("America/New_York", utc(2026, 3, 8)),
    ("America/New_York", utc(2026, 11, 1)),
    ("America/New_York", utc(2019, 3, 10)),
    ("Australia/Lord_Howe", utc(2026, 4, 4)),  # half an hour
    ("Australia/Lord_Howe", utc(2026, 10, 3)),
    ("Africa/Cairo", utc(2026, 4, 24)),  # midnight is skipped
    ("America/Havana", utc(2026, 11, 1)),  # midnight comes twice
    ("Pacific/Apia", utc(2011, 12, 30)),  # a whole day is skipped
    ("Asia/Kolkata", utc(2026, 5, 5)),
    ("UTC", utc(2026, 10, 25)),
]
AROUND = timedelta(days=3)
BEFORE = timedelta(days=5)
"""Windows that began earlier reach into the compared stretch."""

quick = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking days of minutes takes longer than reading the first example
)
some_hours = st.one_of(
    st.frozensets(st.integers(0, 4), min_size=1, max_size=3), st.just(frozenset(range(24)))
)
some_minutes = st.one_of(
    st.frozensets(st.integers(0, 59), min_size=1, max_size=3), st.just(frozenset(range(0, 60, 10)))
)
some_days = st.one_of(st.just(frozenset(range(7))), st.frozensets(st.integers(0, 6), min_size=1))
times = st.builds(Times, some_minutes, some_hours, some_days)
durations = st.integers(1, 62 * 60).map(lambda minutes: minutes * MINUTE)


def closed_minutes(freeze: Freeze, begin: datetime, end: datetime) -> frozenset[datetime]:
    found = freezes.closed([freeze], begin, end, Scope("production"), {})
    assert all(span.start < span.end for span in found)
    assert all(one.end < other.start for one, other in pairwise(found)), "merged"
    return frozenset(
        span.start + step * MINUTE for span in found for step in range((span.end - span.start) // MINUTE)
    )


def cron_freeze(chosen: Times, duration: timedelta, zone: str) -> Freeze:
    return Freeze(name="f", cron=chosen.cron, duration=duration, timezone=zone)


@quick
@given(st.sampled_from(CHANGES), times, durations)
def cron_windows_are_the_oracles(change: tuple[str, datetime], chosen: Times, duration: timedelta) -> None:
    zone, middle = change
    begin, end = middle - AROUND, middle + AROUND
    expected = closed_by_cron(chosen, duration, clock(zone, begin - BEFORE, end))
    got = closed_minutes(cron_freeze(chosen, duration, zone), begin, end)
    assert got == {minute for minute in expected if begin <= minute < end}


@quick
@given(st.sampled_from(CHANGES), times, durations, st.integers(0, 6 * 24 * 60 - 1))
def the_status_agrees_with_the_oracle(
    change: tuple[str, datetime], chosen: Times, duration: timedelta, step: int
) -> None:
    zone, middle = change
    begin, end = middle - AROUND, middle + AROUND + BEFORE
    expected = closed_by_cron(chosen, duration, clock(zone, begin - BEFORE, end))
    now = begin + step * MINUTE
    status = freezes.status([cron_freeze(chosen, duration, zone)], facts(), now)
    assert status.closed == (now in expected)
    later = [now + ahead * MINUTE for ahead in range((end - now) // MINUTE)]
    for announced, becomes in ((status.next_open, False), (status.next_close, True)):
        changes = (m for m in later[1:] if (m in expected) == becomes and (m - MINUTE in expected) != becomes)
        actual = next(changes, None)
        if actual is not None:
            assert announced == actual


@quick
@given(st.sampled_from(CHANGES), st.integers(-3, 2), st.integers(1, 3))
def dates_are_local_midnights(change: tuple[str, datetime], offset: int, days: int) -> None:
    zone, middle = change
    begin, end = middle - timedelta(days=8), middle + timedelta(days=8)
    first = middle.astimezone(ZoneInfo(zone)).date() + timedelta(days=offset)
    after = first + timedelta(days=days)
    if spans.instant(spans.midnight(first), ZoneInfo(zone)) == spans.instant(
        spans.midnight(after), ZoneInfo(zone)
    ):
        return  # Apia, 2011-12-30: the day never was, and a freeze of nothing is refused
    freeze = Freeze.model_validate({"name": "f", "from": first, "to": after, "timezone": zone})
    assert closed_minutes(freeze, begin, end) == closed_by_dates(first, after, clock(zone, begin, end))


def test_cron_windows_are_the_oracles() -> None:
    cron_windows_are_the_oracles()


def test_the_status_agrees_with_the_oracle() -> None:
    the_status_agrees_with_the_oracle()


def test_dates_are_local_midnights() -> None:
    dates_are_local_midnights()


def _todays_offset(local: datetime, zone: ZoneInfo) -> datetime:
    """What Argo CD does: the offset of one day applied to all."""
    offset = utc(2026, 1, 15).astimezone(zone).utcoffset()
    assert offset is not None
    return (local - offset).replace(tzinfo=utc(2026, 1, 1).tzinfo)


def _second_of_two(local: datetime, zone: ZoneInfo) -> datetime:
    """The later one of a repeated time."""
    return local.replace(tzinfo=zone, fold=1).astimezone(utc(2026, 1, 1).tzinfo)


@pytest.mark.parametrize("bug", [_todays_offset, _second_of_two])
@pytest.mark.parametrize("claim", [cron_windows_are_the_oracles, dates_are_local_midnights])
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, bug: Callable[[datetime, ZoneInfo], datetime], claim: Callable[[], None]
) -> None:
    monkeypatch.setattr(spans, "instant", bug)
    with pytest.raises(AssertionError):
        claim()


def test_a_bug_in_the_joining_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = spans.joined
    monkeypatch.setattr(spans, "joined", lambda *given: islice(real(*given), 1, None))
    with pytest.raises(AssertionError):
        the_status_agrees_with_the_oracle()
