"""Who holds an environment, who waits, what runs, what was last good."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.deployment import Slot
from bot.domain.event import Event
from bot.log import Store, upgrade
from bot.projections import slots
from bot.projections.slots import Slots, apply
from tests.log.facts import fact

V1 = {"releaseId": "r1", "version": "1.0.0", "revision": "a" * 40}
V2 = {"releaseId": "r2", "version": "2.0.0", "revision": "b" * 40}


def said(type_: str, trace: str = "trace-1", **data: Any) -> Event:
    return fact(1, trace, type=type_, data={"environment": "production"} | data)


def after(*events: Event, slot: Slot | None = None) -> Slot:
    slot = slot or Slot(environment="production")
    for event in events:
        slot = apply(slot, event)
    return slot


FIRST = (said("DeploymentStarted", **V1), said("DeploymentCompleted", **V1, release=V1))
SECOND = (
    said("DeploymentStarted", "trace-2", **V2),
    said("DeploymentCompleted", "trace-2", **V2, release=V2),
)


def test_a_deployment_holds_the_environment_until_it_ends() -> None:
    started = after(FIRST[0])
    assert (started.holder_trace, started.holder_release, started.running_version) == ("trace-1", "r1", None)
    done = after(FIRST[1], slot=started)
    assert (done.holder_trace, done.running_version, done.running_revision) == (None, "1.0.0", "a" * 40)
    assert (done.healthy, done.last_known_good, done.previous_good) == (True, V1, None)
    assert done.running_since == FIRST[1].time


def test_the_good_one_before_is_remembered_and_a_redeployment_is_not_its_own_predecessor() -> None:
    slot = after(*FIRST, *SECOND)
    assert (slot.last_known_good, slot.previous_good) == (V2, V1)
    assert after(*SECOND, slot=slot).previous_good == V1


def test_an_automatic_rollback_ends_at_the_good_one_and_bars_the_failed() -> None:
    failing = (
        SECOND[0],
        said("RollbackTriggered", "trace-2", **V2, toVersion="1.0.0"),
        said("DeploymentFailed", "trace-2", **V2, rolledBackTo="1.0.0", release=V1),
    )
    slot = after(*FIRST, *failing[:2])
    assert (slot.holder_trace, slot.healthy) == ("trace-2", False)
    slot = after(failing[2], slot=slot)
    assert (slot.holder_trace, slot.running_version, slot.healthy) == (None, "1.0.0", True)
    assert (slot.last_known_good, slot.rolled_back) == (V1, ("r2",))


def test_a_rollback_by_hand_leaves_nothing_before_the_good_one() -> None:
    failed = said("DeploymentFailed", "trace-2", **V2, rolledBackTo="1.0.0", release=V1)
    slot = after(*FIRST, *SECOND, failed, failed)
    assert (slot.last_known_good, slot.previous_good, slot.rolled_back) == (V1, None, ("r2",))


def test_a_failure_with_nothing_to_go_back_to_runs_nothing() -> None:
    slot = after(FIRST[0], said("DeploymentFailed", **V1))
    assert (slot.holder_trace, slot.running_version, slot.running_since, slot.healthy) == (
        None,
        None,
        None,
        False,
    )
    assert slot.rolled_back == ()


def test_the_newest_waits_and_stops_waiting_when_told_or_started() -> None:
    busy = [said("TaskStalled", f"trace-{n}", releaseId=f"r{n}", reason="environment-busy") for n in (2, 3)]
    slot = after(*FIRST[:1], *busy)
    assert (slot.waiting_trace, slot.waiting_release) == ("trace-3", "r3")
    assert after(said("NodeUnblocked", "trace-2", releaseId="r2"), slot=slot).waiting_trace == "trace-3"
    assert after(said("NodeUnblocked", "trace-3", releaseId="r3"), slot=slot).waiting_trace is None
    assert after(said("DeploymentStarted", "trace-3", **V2), slot=slot).waiting_trace is None
    assert after(said("TaskStalled", "trace-4", releaseId="r4", reason="slow"), slot=slot) == slot


def test_other_events_change_nothing() -> None:
    slot = after(*FIRST)
    assert apply(slot, said("TestsPassed")) is slot


@pytest.fixture
def store(database_url: str) -> Store:
    upgrade(database_url)
    return Store(database_url)


def test_slots_are_written_once_per_transaction_and_read_back(store: Store) -> None:
    for events in (FIRST, SECOND):
        with store.begin() as session:
            found = Slots(session)
            for event in events:
                found.record(event, "booking")
            found.record(said("DeploymentStarted", **V1), "")
            found.flush()
    with store.read() as session:
        ((module, slot),) = slots.read(session, "acme")
        assert slots.read(session, "umbrella") == []
        assert slots.read(session, "acme", "other") == []
    assert (module, slot) == ("booking", after(*FIRST, *SECOND))
    store.close()
