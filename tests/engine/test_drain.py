"""Rows become history: once, in order, decided in one transaction; what cannot be applied is put aside and can come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.domain.decision import NOTHING, Decision, Message, Timer, record
from bot.domain.event import Draft, Event
from bot.domain.view import View
from bot.engine import drain, quarantine
from bot.engine.runtime import Runtime
from bot.forges.port import RepositoryFact, change_key
from bot.intake.arrivals import Arrival, shard_of
from bot.intake.inbox import Unavailable
from bot.log import load, verify
from bot.log.tables import EVENTS
from tests.engine.rig import TestForge, count, nothing, of, running, signed, wait_for
from tests.log.facts import fact


def arrived(runtime: Runtime, *numbers: int, trace: str = "trace-1") -> None:
    for number in numbers:
        runtime.submit(fact(number, trace), "tests", f"{trace}-{number}")


def numbers(runtime: Runtime, trace: str = "trace-1") -> list[int]:
    return [event.data["number"] for event in of(runtime.store, trace, "TestsExecuted")]


def test_rows_are_applied_once_and_in_order(database_url: str) -> None:
    with running(database_url) as runtime:
        for number in range(100):
            arrived(runtime, number, trace=f"trace-{number % 4}")
        arrived(runtime, *range(0, 100, 4), trace="trace-0")  # redelivered
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        for trace in range(4):
            assert numbers(runtime, f"trace-{trace}") == list(range(trace, 100, 4))
        assert count(runtime.store, "inbox") == 100
        with runtime.store.read() as session:
            assert verify(session) == {"ok": True, "traces": 4, "events": 100, "first_bad": None}


def test_one_event_id_is_one_event_even_under_two_delivery_ids(database_url: str) -> None:
    with running(database_url) as runtime:
        runtime.submit(fact(1), "tests", "first")
        runtime.submit(fact(1), "tests", "second")
        wait_for(lambda: count(runtime.store, "inbox", "done = 1") == 2)
        assert numbers(runtime) == [1]


def test_a_decision_is_recorded_with_its_cause_and_decided_on_in_turn(database_url: str) -> None:
    seen: list[tuple[str, int, datetime]] = []

    def decide(event: Event, view: View) -> Decision:
        seen.append((event.type, view.state.sequence, view.now))
        if event.type == "TestsExecuted":
            return record(Draft(type="TestsGenerated"), Draft(type="SprintPlanned"))
        return (
            record(Draft(type="SprintClosed", data={"after": event.id}))
            if event.type == "TestsGenerated"
            else NOTHING
        )

    with running(database_url, decide) as runtime:
        arrived(runtime, 1)
        found = wait_for(lambda: of(runtime.store, "trace-1"))
    assert [event.type for event in found] == [
        "TestsExecuted",
        "TestsGenerated",
        "SprintPlanned",
        "SprintClosed",
    ]
    assert [event.causation_id for event in found] == [None, found[0].id, found[0].id, found[1].id]
    assert [(type_, sequence) for type_, sequence, _ in seen] == [
        (event.type, event.sequence) for event in found
    ]
    moments = {moment for _, _, moment in seen}
    assert len(moments) == 1, "all that follows from one fact is decided at one moment: its receipt"
    assert {event.time for event in found[1:]} == moments
    assert found[0].time == fact(1).time


def test_a_decision_can_look_up_events_of_its_own_transaction(database_url: str) -> None:
    found: list[Event | None] = []

    def decide(event: Event, view: View) -> Decision:
        found.append(view.find(event.id))
        return NOTHING

    with running(database_url, decide) as runtime:
        arrived(runtime, 1)
        wait_for(lambda: found)
    assert found[0] is not None
    assert found[0].id == "trace-1-1"


def test_a_message_reaches_the_other_trace_once(database_url: str) -> None:
    def decide(event: Event, _view: View) -> Decision:
        if event.trace_id != "trace-1":
            return NOTHING
        return Decision(
            messages=(Message("trace-2", "hello", Draft(type="NodeUnblocked", data={"from": event.id})),)
        )

    with running(database_url, decide) as runtime:
        arrived(runtime, 1, 2)
        wait_for(lambda: count(runtime.store, "inbox", "done = 1") == 3)
        assert [event.data for event in of(runtime.store, "trace-2")] == [{"from": "trace-1-1"}]


def test_a_timer_comes_at_its_time_and_is_set_once(database_url: str) -> None:
    asked: list[datetime] = []

    def decide(event: Event, _view: View) -> Decision:
        if event.type != "TestsExecuted":
            return NOTHING
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        asked.append(soon)
        return Decision(
            timers=(Timer("late", soon, Draft(type="TimeoutWarning", data={"set by": event.id})),)
        )

    with running(database_url, decide) as runtime:
        arrived(runtime, 1, 2)
        came = wait_for(lambda: of(runtime.store, "trace-1", "TimeoutWarning"))
        assert [event.data for event in came] == [{"set by": "trace-1-1"}]
        assert came[0].time >= asked[0] - timedelta(milliseconds=1)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert len(of(runtime.store, "trace-1", "TimeoutWarning")) == 1


def test_a_raising_decision_is_quarantined_and_the_shard_goes_on(database_url: str) -> None:
    healed = threading.Event()

    def decide(event: Event, _view: View) -> Decision:
        if event.data.get("number") == 2 and not healed.is_set():
            raise RuntimeError("no decision for two; token ghp_abcdefghijklmnopqrstuvwxyz0123456789")
        return (
            record(Draft(type="SprintPlanned", data={"for": event.data["number"]}))
            if "number" in event.data
            else NOTHING
        )

    with running(database_url, decide) as runtime:
        arrived(runtime, 1, 2, 3)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        assert numbers(runtime) == [1, 3]
        assert count(runtime.store, "inbox", "done = 2") == 1
        with runtime.store.read() as session:
            (letter,) = quarantine.letters(session, "acme")
        assert (letter["delivery_id"], letter["error"], letter["status"]) == (
            "trace-1-2",
            "RuntimeError",
            "quarantined",
        )
        assert letter["message"] == "no decision for two; token [hidden]"
        assert "in decide" in letter["traceback"]
        assert "ghp_" not in letter["traceback"]
        healed.set()
        assert runtime.retry(letter["id"]) is True
        assert runtime.retry(letter["id"]) is False
        wait_for(lambda: len(numbers(runtime)) == 3)
        assert numbers(runtime) == [1, 3, 2]
        assert [event.data["for"] for event in of(runtime.store, "trace-1", "SprintPlanned")] == [1, 3, 2]


def test_a_decision_that_feeds_itself_is_quarantined_and_leaves_nothing(database_url: str) -> None:
    def decide(_event: Event, _view: View) -> Decision:
        return record(Draft(type="SprintPlanned"))

    with running(database_url, decide) as runtime:
        arrived(runtime, 1)
        wait_for(lambda: count(runtime.store, "dead_letter") == 1)
        with runtime.store.read() as session:
            (letter,) = quarantine.letters(session)
        assert letter["message"] == "TestsExecuted led to more than 200 events"
        assert of(runtime.store, "trace-1") == []


def test_a_delivery_finds_its_trace_or_begins_one(database_url: str) -> None:
    with running(database_url) as runtime:
        deliver(runtime, "d1", {"branch": "feature/x", "number": 1})
        deliver(runtime, "d2", {"branch": "feature/y", "number": 2})
        deliver(runtime, "d3", {"branch": "feature/x", "number": 3})
        deliver(runtime, "d4", {"branch": "feature/z", "number": 4, "trace": "trace-given"})
        deliver(runtime, "d5", {"unknown": True})
        wait_for(lambda: count(runtime.store, "inbox", "done = 1") == 9)
        with runtime.store.read() as session:
            traces = session.execute(
                sa.text("SELECT trace_id, sequence FROM head ORDER BY sequence DESC")
            ).all()
        assert [sequence for _, sequence in traces] == [2, 1, 1]
        assert numbers(runtime, traces[0][0]) == [1, 3]
        assert numbers(runtime, "trace-given") == [4]
        assert {event.source for event in of(runtime.store, "trace-given")} == {"webhooks/local"}


def deliver(runtime: Runtime, delivery_id: str, said: dict[str, object]) -> None:
    body = json.dumps(said).encode()
    shard = shard_of("local:acme/booking", runtime.settings.shards)
    headers = json.dumps(signed(body, delivery_id))
    runtime.inbox.receive([Arrival("acme", "webhooks/local", "delivery", delivery_id, body, shard, headers)])


class Commented(TestForge):
    """A delivery is a comment on change 7: `{"comment": id}`; each is normalised as written."""

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        said = json.loads(body)
        data = {"repository": "acme/booking", "change": 7, "commentId": said["comment"]}
        key = change_key("local", "acme/booking", 7)
        draft = Draft(type=said["type"], data=data, actor="dana")
        return [RepositoryFact(draft, "acme/booking", (key,), new_trace=True)]


def test_a_comment_told_again_under_another_delivery_id_is_no_second_comment(database_url: str) -> None:
    """Who may see a webhook's calls may send a signed one again; two webhooks tell of one comment twice."""
    told = [("d-1", "CommentCreated", "c1"), ("d-2", "CommentCreated", "c1"), ("d-3", "CommentCreated", "c2")]
    told += [("d-4", "CommentEdited", "c1"), ("d-5", "CommentEdited", "c1")]
    with running(database_url, forges={"local": Commented()}) as runtime:
        for delivery_id, type_, comment in told:
            deliver(runtime, delivery_id, {"type": type_, "comment": comment})
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0)
        with runtime.store.read() as session:
            rows = session.execute(
                sa.select(EVENTS.c.trace_id, EVENTS.c.type).order_by(EVENTS.c.sequence)
            ).all()
        assert [row.type for row in rows] == ["CommentCreated"] * 2 + ["CommentEdited"] * 2
        assert len({row.trace_id for row in rows}) == 1


def test_a_parser_bug_is_repaired_by_applying_the_delivery_again(database_url: str) -> None:
    forge = TestForge()
    with running(database_url, forges={"local": forge}) as runtime:
        deliver(runtime, "d1", {"explode": True, "branch": "feature/x", "number": 1})
        deliver(runtime, "d2", {"branch": "feature/x", "number": 2})
        wait_for(lambda: count(runtime.store, "events") == 1)
        with runtime.store.read() as session:
            (letter,) = quarantine.letters(session)
        assert letter["message"] == "the parser has a bug; [hidden] must not show"
        forge.repaired = True
        runtime.retry(letter["id"])
        wait_for(lambda: count(runtime.store, "events") == 2)


def test_two_drains_of_one_shard_at_once_apply_each_row_once(database_url: str) -> None:
    with running(database_url, work=False) as runtime:
        for number in range(120):
            arrived(runtime, number)
        shard = shard_of("acme/trace-1", runtime.settings.shards)
        drains = [
            threading.Thread(target=drain.drain, args=(runtime.wiring, shard, f"drain-{index}"))
            for index in range(4)
        ]
        for thread in drains:
            thread.start()
        for thread in drains:
            thread.join()
        assert numbers(runtime) == list(range(120))
        with runtime.store.read() as session:
            assert verify(session)["ok"]
            assert load(session, "acme", "trace-1").sequence == 120


def test_a_web_process_stores_and_a_worker_applies(database_url: str) -> None:
    with running(database_url, work=False) as runtime:
        arrived(runtime, 1, 2)
        assert count(runtime.store, "inbox", "done = 0") == 2
    with running(database_url) as runtime:
        wait_for(lambda: numbers(runtime) == [1, 2])


def test_a_row_that_kills_its_worker_is_put_aside_after_two(database_url: str) -> None:
    class Killed(BaseException):
        """What SIGKILL would do, without the process."""

    def decide(event: Event, _view: View) -> Decision:
        if event.data["number"] == 2:
            raise Killed
        return NOTHING

    with running(database_url, decide, work=False) as runtime:
        arrived(runtime, 1, 2, 3)
        shard = shard_of("acme/trace-1", runtime.settings.shards)
        with runtime.store.begin() as session:
            session.execute(sa.text("INSERT INTO takeover(workflow_id, attempts) VALUES ('drain', 3)"))
        for _ in range(2):
            with pytest.raises(Killed):
                drain.drain(runtime.wiring, shard, "drain")
        drain.drain(runtime.wiring, shard, "drain")
        assert numbers(runtime) == [1, 3]
        with runtime.store.read() as session:
            (letter,) = quarantine.letters(session)
        assert (letter["error"], letter["delivery_id"]) == ("WorkerLost", "trace-1-2")


def test_another_number_of_shards_is_refused(database_url: str) -> None:
    with running(database_url, work=False):
        pass
    with (
        pytest.raises(
            Exception, match=r"the database has 16 shards, the settings say 8 \(POINTSMAN_SHARDS\)"
        ),
        running(database_url, work=False, shards=8),
    ):
        pass


def test_a_full_disk_stores_nothing_and_recovers_by_itself(sqlite_url: str) -> None:
    with running(sqlite_url, nothing) as runtime:
        arrived(runtime, 1)
        wait_for(lambda: numbers(runtime) == [1])
        limit(runtime, _pages(runtime) + 2)
        stored = 1
        try:
            for number in range(2, 200):
                big = {"number": number, "text": "x" * 3000}
                runtime.submit(fact(number, data=big), "tests", f"big-{number}")
                stored += 1
        except Unavailable:
            assert count(runtime.store, "inbox") == stored
        assert stored < 199, "the disk was never full"
        limit(runtime, 1 << 30)
        arrived(runtime, 777)
        wait_for(lambda: 777 in numbers(runtime), 30)
        wait_for(lambda: count(runtime.store, "inbox", "done = 0") == 0, 30)
        assert len(numbers(runtime)) == count(runtime.store, "inbox")
        with runtime.store.read() as session:
            assert verify(session)["ok"]


def _pages(runtime: Runtime) -> int:
    with runtime.store.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


def limit(runtime: Runtime, pages: int) -> None:
    """What a full disk is to SQLite. The pragma is per connection, so every one that is taken from a pool gets it."""

    def apply(raw: Callable[..., object], *_rest: object) -> None:
        raw.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    for engine in (runtime.store.engine, runtime.store.durable_engine()):
        sa.event.listen(engine, "checkout", apply)
