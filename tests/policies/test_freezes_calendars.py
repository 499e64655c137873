"""iCalendar freezes against the minute-by-minute oracle; exceptions; what has started; the export."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from policies import calendar_export, freezes, load, spans
from policies.freezes import Freeze, Scope
from tests.policies.builders import NOON, facts, people
from tests.policies.minutes import MINUTE, Weekly, clock, closed_weekly, utc
from tests.policies.test_freezes_oracle import AROUND, BEFORE, CHANGES, quick

OPEN = [change for change in CHANGES if change[0] != "Pacific/Apia"]
"""A day that never was is the subject of the other oracle: no calendar can name an event on it."""


def written(event: Weekly, zone: str, first: datetime, kind: str) -> str:
    """`floating`, or with the `zone`'s name at the times."""
    begin = first + timedelta(days=(event.weekday - first.weekday()) % 7)
    begin = begin.replace(hour=event.hour, minute=event.minute)
    at = f";TZID={zone}" if kind == "zoned" else ""
    end = begin + event.length * MINUTE
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20200101T000000Z\n"
        f"DTSTART{at}:{begin:%Y%m%dT%H%M%S}\nDTEND{at}:{end:%Y%m%dT%H%M%S}\nRRULE:FREQ=WEEKLY\nSUMMARY:weekly\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )


events = st.builds(
    Weekly, st.integers(0, 6), st.integers(0, 23), st.sampled_from([0, 15, 30, 45]), st.integers(1, 48 * 60)
)


@quick
@given(st.sampled_from(OPEN), events, st.sampled_from(["floating", "zoned"]))
def calendars_are_the_oracles(change: tuple[str, datetime], event: Weekly, kind: str) -> None:
    zone, middle = change
    begin, end = middle - AROUND, middle + AROUND
    text = written(event, zone, (middle - timedelta(days=60)).replace(tzinfo=None), kind)
    freeze = Freeze(name="f", ics="c.ics", timezone=zone)
    found = freezes.closed([freeze], begin, end, Scope("production"), {"c.ics": text})
    got = {span.start + step * MINUTE for span in found for step in range((span.end - span.start) // MINUTE)}
    expected = closed_weekly(event, clock(zone, begin - BEFORE, end + BEFORE))
    assert got == {minute for minute in expected if begin <= minute < end}


def test_calendars_are_the_oracles() -> None:
    calendars_are_the_oracles()


def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "instant", lambda local, zone: local.replace(tzinfo=utc(2026, 1, 1).tzinfo))
    with pytest.raises(AssertionError):
        calendars_are_the_oracles()


# -- exceptions


FROZEN = """\
version: 1
roles: {Fixer: {users: [bob]}, Lead: {teams: [acme/leads], environments: [staging]}}
environments: {production: {}, staging: {}}
freezes:
  - {name: f, from: 2026-11-18, to: 2026-11-19, allow: %s, in-progress: pause}
"""


def closed(allow: str, **said: Any) -> bool:
    verdict = policies.evaluate(load(FROZEN % allow), facts(**said), NOON)
    return verdict.children[0].reason_code == "FreezeActive"


@pytest.mark.parametrize(
    ("allow", "said", "frozen"),
    [
        ("{severities: critical}", {}, True),
        ("{severities: critical}", {"labels": ("severity: critical",)}, False),
        ("{severities: [high, critical]}", {"labels": ("severity:high", "x")}, False),
        ("{severities: critical}", {"labels": ("critical",)}, True),
        ("{roles: Fixer}", {}, False),
        ("{roles: Fixer}", {"author": "eve"}, True),
        ("{roles: Lead}", {"author": "zoe", "actors": people(zoe="acme/leads")}, True),
        (
            "{roles: Lead}",
            {"author": "zoe", "actors": people(zoe="acme/leads"), "environment": "staging"},
            False,
        ),
        ("{roles: Lead}", {"author": "zoe", "environment": "staging"}, True),
        ("{labels: hotfix, roles: Fixer}", {"labels": ("hotfix",)}, False),
        ("{labels: hotfix, roles: Fixer}", {}, True),
    ],
)
def test_exceptions(allow: str, said: dict[str, Any], frozen: bool) -> None:
    assert closed(allow, **said) == frozen


def test_deny_beats_allow() -> None:
    text = FROZEN % "{roles: Fixer}" + "  - {name: other, from: 2026-11-18, to: 2026-11-19}\n"
    verdict = policies.evaluate(load(text), facts(), NOON)
    assert verdict.children[0].have == "frozen by other"


def test_what_has_started_is_paused_only_where_it_is_said() -> None:
    policy = load(FROZEN % "{labels: hotfix}")
    assert policies.paused(policy, facts(), NOON)
    assert not policies.paused(policy, facts(labels=("hotfix",)), NOON)
    assert not policies.paused(policy, facts(), NOON + timedelta(days=1))
    finish = load((FROZEN % "{labels: hotfix}").replace("in-progress: pause", "in-progress: finish"))
    assert not policies.paused(finish, facts(), NOON)


def test_the_status_object() -> None:
    policy = load(FROZEN % "{labels: hotfix}")
    assert freezes.status(policy.freezes, facts(), NOON).to_json() == {
        "closed": True, "reason": "f until Thu 2026-11-19 00:00 UTC", "next_open": "2026-11-19T00:00:00.000Z",
        "next_close": None, "windows": ["f"], "paused": True,
    }  # fmt: skip


# -- export


def test_what_is_exported_can_be_read_again_and_says_the_same() -> None:
    text = FROZEN % "{labels: hotfix}" + (
        "  - {name: weekend, environments: production, cron: '0 18 * * FRI', duration: 62h, timezone: Europe/Paris}\n"
    )
    policy = load(text)
    exported = calendar_export.export(policy, {}, NOON)
    again = [Freeze(name="again", ics="c.ics")]
    begin, end = NOON - timedelta(days=30), NOON + timedelta(days=360)
    for environment in ("production", "staging"):
        one = calendar_export.export(policy, {}, NOON, environment=environment)
        ours = freezes.closed(policy.freezes, begin, end, Scope(environment), {})
        theirs = freezes.closed(again, begin, end, Scope(environment), {"c.ics": one})
        assert [(span.start, span.end) for span in theirs] == [(span.start, span.end) for span in ours]
    summaries = {str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(exported).walk("VEVENT")}
    assert summaries == {"production is frozen: f", "staging is frozen: f", "production is frozen: weekend"}
    assert calendar_export.export(policy, {}, NOON) == exported, "a function of policy, calendars and time"


def test_events_keep_their_ids_from_day_to_day() -> None:
    policy = load(FROZEN % "{labels: hotfix}")

    def ids(moment: datetime) -> set[str]:
        text = calendar_export.export(policy, {}, moment)
        return {str(event["UID"]) for event in icalendar.Calendar.from_ical(text).walk("VEVENT")}

    assert ids(NOON) == ids(NOON + timedelta(days=1))
