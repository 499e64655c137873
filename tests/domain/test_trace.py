"""The fold: what each fact leaves in a trace's state."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.catalog import CATALOG
from bot.domain.event import Event
from bot.domain.flow_state import ENDINGS
from bot.domain.trace import APPLY, TraceState, apply
from tests.domain.test_event import AT, event
from tests.handlers.test_journey import delivered

FLOWS = {"LifecyclePhaseAdvanced", "AgentTaskScheduled", *ENDINGS}
EMPTY = TraceState(tenant_id="acme", trace_id="trace-1")
CHANGE = {"repository": "r", "number": 3, "author": "ada", "source": "s", "target": "main", "head": "a" * 40}


def after(*said: tuple[str, dict[str, Any]], state: TraceState = EMPTY) -> TraceState:
    for type_, data in said:
        state = apply(state, event(type=type_, data=data, sequence=state.sequence + 1, actor="ada"))
    return state


def test_every_fold_is_of_a_known_type() -> None:
    assert APPLY.keys() <= CATALOG.keys()


@given(st.sampled_from(sorted(set(CATALOG) - set(APPLY) - FLOWS)))
def test_other_facts_only_move_the_sequence_on(type_: str) -> None:
    moved = after((type_, {}))

    assert moved.model_copy(update={"flow": EMPTY.flow}) == EMPTY.model_copy(
        update={"sequence": 1, "began_at": AT, "updated_at": AT}
    )


def test_the_files_of_a_module_stay_in_the_log() -> None:
    module = {
        "repository": "r",
        "moduleId": "m",
        "version": "1.0.0",
        "files": [{"path": "a", "content": "x" * 100}],
    }

    state = after(("ModuleGenerated", module))

    assert "x" * 100 not in str(state.to_json())
    assert (state.module_event, state.module_id, state.version, state.submitter) == (
        "e1",
        "m",
        "1.0.0",
        "ada",
    )


def test_another_change_does_not_take_the_trace_over() -> None:
    state = after(("ChangeOpened", CHANGE), ("ChangeUpdated", CHANGE | {"number": 4, "head": "b" * 40}))

    assert state.change and state.change["number"] == 3
    assert state.head == "a" * 40


def test_after_the_merge_the_head_is_the_merge_commit() -> None:
    merged = CHANGE | {"mergeSha": "c" * 40, "tree": "t", "headTree": "t"}

    state = after(
        ("ChangeOpened", CHANGE), ("ChangeMerged", merged), ("ChangeUpdated", CHANGE | {"head": "d" * 40})
    )

    assert state.merged
    assert state.head == "c" * 40


def test_an_approval_ends_once_and_stays_ended() -> None:
    granted = {
        "environment": "production", "revision": "a" * 40, "approver": "jane", "role": "PO", "method": "comment",
        "approvedAt": "2026-11-20T09:30:00Z",
    }  # fmt: skip
    ended = {"environment": "production", "revision": "a" * 40, "approver": "jane"}

    state = after(
        ("ApprovalGranted", granted),
        ("ApprovalRevoked", ended),
        ("ApprovalInvalidated", ended | {"newRevision": "b", "reason": "r"}),
    )

    assert [a.ended for a in state.approvals] == ["revoked"]


def test_commands_wait_for_their_facts_and_are_answered_together() -> None:
    issued = {
        "command": "help",
        "line": "/help",
        "via": "comment",
        "correlation": "c1",
        "writtenAt": "2026-11-20T09:30:00Z",
    }
    gathered = {"correlation": "c1", "repository": "r"}

    waiting = after(("CommandIssued", issued), ("CommandIssued", issued | {"command": "status"}))
    answering = after(("FactsGathered", gathered), state=waiting)
    done = after(("FactsGathered", gathered | {"correlation": "c2"}), state=answering)

    assert len(waiting.pending["c1"]) == 2
    assert [said["command"] for said in answering.answering] == ["help", "status"]
    assert (answering.pending, done.answering) == ({}, ())


def test_the_state_survives_being_written_and_read() -> None:
    state = delivered().state

    assert TraceState.model_validate(state.to_json()) == state


def test_a_replay_of_every_prefix_gives_the_state_of_then() -> None:
    world = delivered()
    state = TraceState(tenant_id="default", trace_id=world.trace)
    for said in world.events:
        state = apply(state, Event.model_validate_json(said.canonical()))

    assert state == world.state


def test_a_trace_that_a_forge_began_lives_there() -> None:
    begun = event(type="ChangeOpened", data=CHANGE, sequence=1, actor="ada", source="webhooks/github")
    assert apply(EMPTY, begun).forge == "github"
    later = event(type="ChangeUpdated", data=CHANGE, sequence=2, actor="ada", source="webhooks/gitlab")
    assert apply(apply(EMPTY, begun), later).forge == "github", "no later fact moves it"
    assert after(("ChangeOpened", CHANGE)).forge == "local"
