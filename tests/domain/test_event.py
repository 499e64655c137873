"""The envelope: canonical text, hash chain, ids that come from causes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.event import GENESIS, Draft, Event, chain, derived_id, stamp

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def event(**more: object) -> Event:
    fields = {
        "id": "e1", "source": "tests", "type": "TestsExecuted", "time": AT, "tenant_id": "acme", "trace_id": "trace-1", "sequence": 1,
    }  # fmt: skip
    return Event.model_validate(fields | more)


def test_canonical_is_sorted_camel_case_without_absent_values() -> None:
    assert event(module_id="booking", data={"b": 1, "a": "ü"}).canonical() == (
        '{"data":{"a":"ü","b":1},"id":"e1","moduleId":"booking","sequence":1,"source":"tests","specversion":"1.0",'
        '"tenantId":"acme","time":"2026-11-20T09:30:00.000Z","traceId":"trace-1","type":"TestsExecuted"}'.encode()
    )


def test_equal_moments_have_equal_text() -> None:
    paris = AT.astimezone(timezone(timedelta(hours=1)))

    assert event(time=paris).canonical() == event().canonical()


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        event(time=datetime(2026, 11, 20, 9, 30))  # noqa: DTZ001 - the point of the test


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        event(colour="red")


def test_an_event_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        event().id = "e2"  # type: ignore[misc]


def test_the_chain_is_sha256_of_previous_hash_and_body() -> None:
    body = event().canonical()

    assert chain(GENESIS, body) == hashlib.sha256(bytes(32) + body).hexdigest()


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=10_000))
def test_any_changed_byte_changes_the_link(body: bytes, position: int) -> None:
    changed = bytearray(body or b"\0")
    changed[position % len(changed)] ^= 1

    assert chain(GENESIS, bytes(changed)) != chain(GENESIS, body)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.text(), st.integers(-(2**53) + 1, 2**53 - 1), st.booleans(), st.none()),
    )
)
def test_what_is_stored_reads_back_equal(data: dict[str, object]) -> None:
    written = event(data=data)

    assert Event.model_validate_json(written.canonical()).canonical() == written.canonical()
    assert json.loads(written.canonical())["data"] == data


def test_stamping_the_same_draft_twice_gives_the_same_event() -> None:
    draft = Draft(type="CommitReady", data={"sha": "a"}, environment="production")
    cause = event(module_id="booking", sprint_id="s3", actor="ada")

    first, second = (stamp(draft, cause=cause, index=0) for _ in range(2))

    assert first == second
    assert (first.causation_id, first.time, first.module_id, first.sprint_id) == ("e1", AT, "booking", "s3")
    assert first.actor is None, "who caused the cause did not say this"


def test_two_drafts_of_one_cause_are_two_events() -> None:
    draft = Draft(type="CommitReady")

    assert stamp(draft, cause=event(), index=0).id != stamp(draft, cause=event(), index=1).id


@given(st.lists(st.text(max_size=5), min_size=2, max_size=4, unique=True))
@example(["", "\x1f"])
@example(["1", "1:1"])
def test_ids_do_not_run_together(parts: list[str]) -> None:
    assert derived_id(*parts) != derived_id("".join(parts))
    assert derived_id(*parts) != derived_id(*reversed(parts))
