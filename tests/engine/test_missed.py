"""Webhook calls that never arrived are asked for, and enter as if they had."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.domain.errors import Retryable
from bot.engine import schedules
from bot.forges.port import Delivery, Missed
from bot.intake.webhook import webhook_router
from bot.log.tables import CAUGHT_UP
from tests.engine.rig import TestForge, count, of, running, signed, wait_for

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def call(number: int) -> bytes:
    return json.dumps({"branch": "b", "number": number, "trace": "t-1"}).encode()


class Forgetful(TestForge):
    """Could not deliver `lost`; may be out of order itself."""

    def __init__(self) -> None:
        self.lost: list[int] = []
        self.asked: list[datetime] = []
        self.down = False

    def missed(self, since: datetime) -> Iterable[Missed]:
        self.asked.append(since)
        for number in self.lost:
            if self.down:
                raise Retryable("the forge does not answer")
            delivery = Delivery(f"d-{number}", "acme/booking")
            yield Missed(delivery, {"x-repository": "acme/booking"}, call(number))


def numbers(runtime: object) -> list[int]:
    return [event.data["number"] for event in of(runtime.store, "t-1", "TestsExecuted")]


def test_a_lost_call_is_found_once_and_one_that_arrived_is_not_doubled(database_url: str) -> None:
    forge = Forgetful()
    with running(database_url, forges={"local": forge}) as runtime:
        app = FastAPI()
        app.include_router(webhook_router(runtime.inbox, {"local": forge}, runtime.settings))
        answer: httpx.Response = TestClient(app).post(
            "/webhooks/local", content=call(1), headers=signed(call(1), "d-1")
        )
        assert answer.status_code == 202
        wait_for(lambda: numbers(runtime) == [1])

        forge.lost = [1, 2, 3]
        schedules.reconcile(runtime.wiring, NOON)
        wait_for(lambda: len(numbers(runtime)) == 3)
        schedules.reconcile(runtime.wiring, NOON + timedelta(minutes=5))
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)

        assert numbers(runtime) == [1, 2, 3]
        assert forge.asked == [NOON - timedelta(days=1), NOON - timedelta(minutes=10)]


def test_a_forge_that_does_not_answer_is_asked_for_the_same_time_again(database_url: str) -> None:
    forge = Forgetful()
    with running(database_url, forges={"local": forge}) as runtime:
        forge.lost, forge.down = [1], True
        schedules.reconcile(runtime.wiring, NOON)
        with runtime.store.read() as session:
            assert session.execute(sa.select(CAUGHT_UP)).all() == []
        assert numbers(runtime) == []

        forge.down = False
        schedules.reconcile(runtime.wiring, NOON + timedelta(minutes=5))
        wait_for(lambda: numbers(runtime) == [1])
        assert forge.asked[1] == NOON + timedelta(minutes=5) - timedelta(days=1)


class Breaking(Forgetful):
    """Tells some, then does not go on, in a way of its own."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def missed(self, since: datetime) -> Iterable[Missed]:
        yield from super().missed(since)
        raise self.error


@pytest.mark.parametrize("error", [Retryable("the limit is used up"), KeyError("a field that is not there")])
def test_what_a_forge_told_before_it_broke_off_is_taken_and_the_others_are_asked(
    database_url: str, error: Exception
) -> None:
    breaking, other = Breaking(error), Forgetful()
    breaking.lost, other.lost = list(range(120)), [500]
    forges = {"gitlab": breaking, "local": other}
    with running(database_url, forges=forges) as runtime:
        schedules.reconcile(runtime.wiring, NOON)
        wait_for(lambda: len(numbers(runtime)) == 121, 30)
        assert sorted(numbers(runtime)) == [*range(120), 500]
        with runtime.store.read() as session:
            assert list(session.execute(sa.select(CAUGHT_UP.c.forge)).scalars()) == ["local"]


@pytest.mark.parametrize("many", [250])
def test_many_lost_calls_are_taken_in_groups_and_in_order(database_url: str, many: int) -> None:
    forge = Forgetful()
    forge.lost = list(range(many))
    with running(database_url, forges={"local": forge}) as runtime:
        schedules.reconcile(runtime.wiring, NOON)
        wait_for(lambda: len(numbers(runtime)) == many, 30)
        assert numbers(runtime) == list(range(many))
