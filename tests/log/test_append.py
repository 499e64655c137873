"""Appending: sequence, chain, one id once, never rewritten, nothing lost under concurrency."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest
import rfc8785
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.domain.event import GENESIS
from bot.log import Store, append, events, find, load, replay, verify
from bot.log.fold import state_text
from tests.log.facts import BEGAN, fact


def test_events_get_their_place_and_come_back_as_they_were(store: Store) -> None:
    with store.begin() as session:
        first = append(session, [fact(1), fact(7, "trace-2"), fact(2)])
    with store.begin() as session:
        second = append(session, [fact(3)])
    assert [(event.trace_id, event.sequence) for event in first + second] == [
        ("trace-1", 1), ("trace-2", 1), ("trace-1", 2), ("trace-1", 3),
    ]  # fmt: skip
    with store.read() as session:
        assert events(session, "acme", "trace-1") == [first[0], first[2], second[0]]
        assert events(session, "acme", "trace-1", after=1, limit=1) == [first[2]]
        assert find(session, "acme", "trace-1", "trace-1-2") == first[2]
        assert find(session, "acme", "trace-2", "trace-1-2") is None
        assert events(session, "umbrella", "trace-1") == []


def test_what_is_stored_is_canonical_json_chained_by_hash(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(1), fact(2)])
    with store.read() as session:
        rows = session.execute(sa.text("SELECT body, prev_hash, hash FROM events ORDER BY sequence")).all()
    previous = GENESIS
    for body, prev_hash, digest in rows:
        assert bytes(body) == rfc8785.dumps(json.loads(bytes(body)))
        assert prev_hash == previous
        assert digest == hashlib.sha256(bytes.fromhex(previous) + bytes(body)).hexdigest()
        previous = digest


def test_one_event_id_is_one_event_in_a_tenant_and_free_in_another(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(1)])
    with pytest.raises(IntegrityError), store.begin() as session:
        append(session, [fact(2), fact(9, "trace-2", id="trace-1-1")])
    with store.begin() as session:
        append(session, [fact(1, tenant="umbrella")])
    with store.read() as session:
        assert [event.id for event in events(session, "acme", "trace-1")] == ["trace-1-1"]
        assert verify(session)["ok"]


def test_the_stored_state_is_the_one_that_a_replay_folds(store: Store) -> None:
    service = {"command": ["serve"], "probeTimeoutS": 1.0, "startupTimeoutS": 0.5}
    module = {
        "repository": "acme/booking", "moduleId": "booking", "version": "1.0.0", "service": service,
        "files": [{"path": "a.py", "content": ""}],
    }  # fmt: skip
    with store.begin() as session:
        (appended,) = append(session, [fact(1, type="ModuleGenerated", data=module)])
    with store.read() as session:
        assert verify(session)["ok"]
        assert events(session, "acme", "trace-1") == [appended]
        assert state_text(load(session, "acme", "trace-1")) == state_text(replay(session, "acme", "trace-1"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'eve'",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events",
        "TRUNCATE events",
    ],
)
def test_events_are_append_only(store: Store, statement: str) -> None:
    with store.begin() as session:
        append(session, [fact(1)])
    if store.sqlite == statement.startswith("TRUNCATE") or (not store.sqlite and "REPLACE" in statement):
        return  # not a statement of this database
    with pytest.raises(DBAPIError, match="events are append-only"), store.begin() as session:
        session.execute(sa.text(statement))


def test_an_error_in_the_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError), store.begin() as session:
        append(session, [fact(1), fact(2, id="trace-1-1")])
    with store.begin() as session:
        assert load(session, "acme", "trace-1").sequence == 0
        assert append(session, [fact(1)])[0].sequence == 1


def test_two_hundred_concurrent_appends_are_all_there_in_one_chain(store: Store) -> None:
    def one(number: int) -> None:
        with store.begin() as session:
            append(session, [fact(number, f"trace-{number % 3}")])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(200)))
    with store.read() as session:
        report = verify(session)
        found = {event.id for trace in range(3) for event in events(session, "acme", f"trace-{trace}")}
    assert report == {"ok": True, "traces": 3, "events": 200, "first_bad": None}
    assert len(found) == 200


def test_the_head_is_a_cache_that_the_events_rebuild(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(number) for number in range(1, 6)])
        expected = load(session, "acme", "trace-1")
    for damage in ("DELETE FROM head", "UPDATE head SET fold = 'of another release', state = '{}'"):
        with store.begin() as session:
            session.execute(sa.text(damage))
            assert load(session, "acme", "trace-1") == expected
    with store.begin() as session:
        assert append(session, [fact(6)])[0].sequence == 6
        assert load(session, "acme", "trace-1").sequence == 6


def test_replay_goes_to_a_sequence_or_a_moment(store: Store) -> None:
    with store.begin() as session:
        append(session, [fact(number) for number in range(1, 6)])
    with store.read() as session:
        assert replay(session, "acme", "trace-1") == load(session, "acme", "trace-1")
        assert replay(session, "acme", "trace-1", until=3).sequence == 3
        assert replay(session, "acme", "trace-1", until=BEGAN.replace(second=2)).sequence == 2
        assert replay(session, "acme", "trace-1", until=BEGAN).sequence == 0
        assert replay(session, "acme", "trace-1", until=BEGAN.replace(hour=9)).sequence == 5


def test_a_moment_finer_than_the_log_keeps_is_folded_as_it_is_kept(store: Store) -> None:
    fine = BEGAN.replace(microsecond=123_987).astimezone(timezone(timedelta(hours=1)))

    with store.begin() as session:
        (appended,) = append(session, [fact(1).model_copy(update={"time": fine})])

    with store.read() as session:
        assert appended == find(session, "acme", "trace-1", appended.id)
        assert state_text(load(session, "acme", "trace-1")) == state_text(replay(session, "acme", "trace-1"))
        assert load(session, "acme", "trace-1").updated_at == BEGAN.replace(microsecond=123_000)
