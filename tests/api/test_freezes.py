"""`/freezes.ics`."""

from __future__ import annotations

from collections.abc import Iterator

import icalendar
import pytest

from bot.domain import payloads as p
from tests.support.house import House, house
from tests.support.story import tell

POLICY = """\
version: 1
environments: {staging: {}, production: {}}
freezes:
  - {name: weekend, environments: production, cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}
"""


def gathered(
    repository: str = "acme/booking", **more: object
) -> tuple[str, dict[str, object], dict[str, object]]:
    known = {"correlation": "c", "repository": repository, "policyText": POLICY, "policyRevision": "f" * 40}
    return "FactsGathered", p.FactsGathered.model_validate(known | more).to_json(), {}


@pytest.fixture
def home(sqlite_url: str) -> Iterator[House]:
    with house(sqlite_url) as made:
        tell(made.store, then=(gathered(),))
        yield made


def test_the_calendar_of_a_repository(home: House) -> None:
    answer = home.http().get("/freezes.ics?environment=production")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    calendar = icalendar.Calendar.from_ical(answer.text)
    assert str(calendar["X-WR-CALNAME"]).startswith("Release freezes of ")
    events = calendar.walk("VEVENT")
    assert {str(event["SUMMARY"]) for event in events} == {"production is frozen: weekend"}
    assert len(events) > 50, "a year of weekends"
    assert "BEGIN:VEVENT" not in home.http().get("/freezes.ics?environment=staging").text


def test_what_there_is_no_calendar_of(home: House) -> None:
    unknown = home.http().get("/freezes.ics?repository=acme/elsewhere")
    assert (unknown.status_code, unknown.json()["reasonCode"]) == (404, "NotFound")
    where = home.http().get("/freezes.ics?environment=elsewhere")
    assert (where.status_code, where.json()["detail"]) == (404, "There is no environment 'elsewhere'.")


def test_it_is_nobody_elses(home: House) -> None:
    assert home.anybody().get("/freezes.ics").status_code == 401
