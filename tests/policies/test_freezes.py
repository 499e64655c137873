"""Freezes by example: scopes, exceptions, overrides, calendars, and what is announced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.release import Override
from policies import freezes, spans
from policies.freezes import Freeze, Scope
from tests.policies.builders import facts

WEEKEND = Freeze.model_validate(
    {"name": "weekend", "cron": "0 18 * * FRI", "duration": "62h", "timezone": "Europe/Paris"}
)
YEAR_END = Freeze.model_validate(
    {
        "name": "year-end",
        "from": "2026-12-18",
        "to": "2027-01-04",
        "timezone": "Europe/Paris",
        "allow": {"labels": ["hotfix"]},
    }
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def state(now: datetime, *some: Freeze, **said: Any) -> dict[str, Any]:
    return freezes.status(some, facts(**said), now).to_json()


def test_the_status_object() -> None:
    assert state(utc(2026, 11, 20, 16, 59), WEEKEND) == {
        "closed": False, "reason": "", "windows": [],
        "next_open": "2026-11-23T07:00:00.000Z", "next_close": "2026-11-20T17:00:00.000Z",
    }  # fmt: skip
    assert state(utc(2026, 11, 20, 17), WEEKEND) == {
        "closed": True, "reason": "weekend until Mon 2026-11-23 08:00 Europe/Paris", "windows": ["weekend"],
        "next_open": "2026-11-23T07:00:00.000Z", "next_close": "2026-11-27T17:00:00.000Z",
    }  # fmt: skip
    assert state(utc(2026, 11, 23, 7), WEEKEND)["closed"] is False
    assert state(utc(2027, 2, 1), YEAR_END) == {
        "closed": False, "reason": "", "windows": [], "next_open": None, "next_close": None
    }  # fmt: skip


def test_it_opens_when_the_last_of_them_does() -> None:
    assert state(utc(2026, 12, 19), WEEKEND, YEAR_END) == {
        "closed": True, "windows": ["weekend", "year-end"],
        "reason": "weekend until Mon 2026-12-21 08:00 Europe/Paris; year-end until Mon 2027-01-04 00:00 Europe/Paris",
        "next_open": "2027-01-04T07:00:00.000Z", "next_close": "2027-01-08T17:00:00.000Z",
    }  # fmt: skip


def test_deny_beats_allow() -> None:
    hotfix = {"labels": ("HotFix",)}
    assert state(utc(2026, 12, 22), YEAR_END, **hotfix)["closed"] is False
    assert state(utc(2026, 12, 19), WEEKEND, YEAR_END, **hotfix)["windows"] == ["weekend"]


def test_every_key_of_an_exception_must_fit() -> None:
    both = YEAR_END.model_copy(
        update={"allow": freezes.Allow(labels=("hotfix",), modules=("booking", "payments"))}
    )
    assert state(utc(2026, 12, 22), both, labels=("hotfix",))["closed"] is False
    assert state(utc(2026, 12, 22), both, labels=("hotfix",), module="shop")["closed"] is True
    assert state(utc(2026, 12, 22), both)["closed"] is True


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ({}, True),
        ({"environments": ["production"]}, True),
        ({"environments": ["staging"]}, False),
        ({"tenants": "acme"}, True),
        ({"tenants": "other"}, False),
        ({"modules": ["booking"]}, True),
        ({"modules": ["shop"]}, False),
        ({"environments": ["production"], "tenants": ["acme"], "modules": ["shop"]}, False),
    ],
)
def test_scopes(scope: dict[str, Any], closed: bool) -> None:
    freeze = Freeze.model_validate({"name": "f", "from": "2026-01-01", "to": "2027-01-01"} | scope)
    assert state(utc(2026, 6, 1), freeze, tenant="acme")["closed"] is closed


def test_the_calendar_shows_tenants_and_modules_only_to_those_who_ask() -> None:
    freeze = Freeze.model_validate(
        {"name": "f", "from": "2026-01-01", "to": "2026-01-02", "tenants": ["acme"]}
    )
    asked = (utc(2025, 12, 31), utc(2026, 1, 3))
    assert freezes.closed([freeze], *asked, Scope("production"), {}) == []
    (span,) = freezes.closed([freeze], *asked, Scope("production", "acme"), {})
    assert (span.start, span.end, span.names) == (utc(2026, 1, 1), utc(2026, 1, 2), ("f",))


def test_the_calendar_is_merged_clipped_and_names_everybody() -> None:
    found = freezes.closed([WEEKEND, YEAR_END], utc(2026, 12, 19), utc(2027, 1, 9), Scope("production"), {})
    assert [(span.start, span.end, span.names) for span in found] == [
        (utc(2026, 12, 19), utc(2027, 1, 4, 7), ("weekend", "year-end")),
        (utc(2027, 1, 8, 17), utc(2027, 1, 9), ("weekend",)),
    ]


def test_a_freeze_that_never_opens_is_closed_and_announces_nothing_wrong() -> None:
    always = Freeze.model_validate({"name": "always", "cron": "* * * * *", "duration": "2h"})
    status = freezes.status([always], facts(), utc(2026, 6, 1))
    assert status.closed
    assert status.next_close is None
    (span,) = freezes.closed([always], utc(2026, 6, 1), utc(2026, 9, 1), Scope("production"), {})
    assert (span.start, span.end) == (utc(2026, 6, 1), utc(2026, 9, 1))


SATURDAY = utc(2026, 11, 21, 12)


def lifted(**said: Any) -> Override:
    known = {"environment": "production", "window": "weekend", "by": "sam", "role": "StudioApprover", "reason": "x",
             "at": SATURDAY}  # fmt: skip
    return Override(**(known | said))


@pytest.mark.parametrize(
    ("override", "closed"),
    [
        (lifted(), False),
        (lifted(until=utc(2026, 11, 21, 13)), False),
        (lifted(until=utc(2026, 11, 21, 12, 30)), True),
        (lifted(window="year-end"), True),
        (lifted(environment="staging"), True),
        (lifted(at=utc(2026, 11, 14, 12)), True),
        (lifted(at=utc(2026, 11, 14, 12), until=utc(2027, 1, 1)), True),
        (lifted(at=utc(2026, 11, 18)), True),
        (lifted(revision="d" * 40), True),
    ],
)
def test_an_override_lifts_its_own_window_only(override: Override, closed: bool) -> None:
    assert state(utc(2026, 11, 21, 12, 45), WEEKEND, overrides=(override,))["closed"] is closed


def test_an_override_that_ends_early_announces_that_it_closes_again() -> None:
    until = utc(2026, 11, 22)
    assert state(SATURDAY, WEEKEND, overrides=(lifted(until=until),)) == {
        "closed": False, "reason": "", "windows": [],
        "next_open": "2026-11-23T07:00:00.000Z", "next_close": "2026-11-22T00:00:00.000Z",
    }  # fmt: skip


CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:1
SUMMARY:Christmas
DTSTART;VALUE=DATE:20201224
DTEND;VALUE=DATE:20201227
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Month end
DTSTART;TZID=Europe/Paris:20260331T180000
DURATION:PT12H
RRULE:FREQ=MONTHLY;BYMONTHDAY=-1
EXDATE;TZID=Europe/Paris:20260430T180000
END:VEVENT
BEGIN:VEVENT
UID:3
SUMMARY:Called off
STATUS:CANCELLED
DTSTART:20260601T000000Z
DTEND:20260602T000000Z
END:VEVENT
BEGIN:VEVENT
UID:4
SUMMARY:Floating
DTSTART:20260701T090000
DTEND:20260701T100000
END:VEVENT
END:VCALENDAR
"""
HOLIDAYS = Freeze.model_validate(
    {"name": "holidays", "ics": "calendars/holidays.ics", "timezone": "America/New_York"}
)


def test_calendars() -> None:
    texts = {"calendars/holidays.ics": CALENDAR}
    found = freezes.closed([HOLIDAYS], utc(2026, 3, 1), utc(2027, 1, 1), Scope("production"), texts)
    assert [(f"{s.start:%m-%d %H:%M}", f"{s.end:%m-%d %H:%M}", s.names) for s in found] == [
        ("03-31 16:00", "04-01 04:00", ("holidays: Month end",)),
        ("05-31 16:00", "06-01 04:00", ("holidays: Month end",)),
        ("06-30 16:00", "07-01 04:00", ("holidays: Month end",)),
        ("07-01 13:00", "07-01 14:00", ("holidays: Floating",)),
        ("07-31 16:00", "08-01 04:00", ("holidays: Month end",)),
        ("08-31 16:00", "09-01 04:00", ("holidays: Month end",)),
        ("09-30 16:00", "10-01 04:00", ("holidays: Month end",)),
        ("10-31 17:00", "11-01 05:00", ("holidays: Month end",)),
        ("11-30 17:00", "12-01 05:00", ("holidays: Month end",)),
        ("12-24 05:00", "12-27 05:00", ("holidays: Christmas",)),
        ("12-31 17:00", "01-01 00:00", ("holidays: Month end",)),
    ]
    now = utc(2026, 12, 25)
    assert state(now, HOLIDAYS, calendars=texts) == {
        "closed": True, "reason": "holidays: Christmas until Sun 2026-12-27 00:00 America/New_York", "windows": ["holidays"],
        "next_open": "2026-12-27T05:00:00.000Z", "next_close": "2026-12-31T17:00:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "the calendar calendars/holidays.ics could not be found"),
        ({"calendars/holidays.ics": "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n"},
         "the calendar calendars/holidays.ics has no events"),
        ({"calendars/holidays.ics": CALENDAR.replace("FREQ=YEARLY", "FREQ=SECONDLY")},
         "the calendar calendars/holidays.ics repeats every second or minute, which is no calendar of freezes"),
    ],
)  # fmt: skip
def test_a_calendar_that_can_not_be_used_closes(texts: dict[str, str], said: str) -> None:
    with pytest.raises(spans.CalendarError) as caught:
        state(utc(2026, 1, 1), HOLIDAYS, calendars=texts)
    assert str(caught.value) == said
    from policies.gates.freeze import FreezeGate
    from tests.policies.builders import of_gates

    own = of_gates().model_copy(update={"freezes": (HOLIDAYS,)})
    verdict = FreezeGate().check(facts(calendars=texts), utc(2026, 1, 1), own)
    assert (verdict.state, verdict.reason_code) == ("delayed", "CalendarUnusable")
    assert verdict.message == f"Closed, because {said}. Put the calendar right on main."


@pytest.mark.parametrize(
    "garbage",
    ["", "hello", "BEGIN:VCALENDAR", CALENDAR[:200], CALENDAR.replace("DTSTART;VALUE=DATE:20201224", "X:1")],
)
def test_garbage_is_no_calendar(garbage: str) -> None:
    with pytest.raises(spans.CalendarError):
        state(utc(2026, 1, 1), HOLIDAYS, calendars={"calendars/holidays.ics": garbage})


def test_a_freeze_nobody_may_override_says_so() -> None:
    from policies import evaluate
    from tests.policies.builders import of_gates

    own = of_gates(more='freezes: [{name: always, cron: "0 0 * * *", duration: 1h}]\n')
    verdict = evaluate(own, facts(), utc(2026, 6, 1, 0, 30)).children[0]
    assert verdict.message == "Frozen by always until Mon 2026-06-01 01:00 UTC; nobody may override it."
    assert verdict.next_change_at == utc(2026, 6, 1, 1)
    assert evaluate(own, facts(), verdict.next_change_at - timedelta(seconds=1)).state == "delayed"
    assert evaluate(own, facts(), verdict.next_change_at).state == "approved"
