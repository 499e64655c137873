"""The first screen: what blocks, who can help, when it changes; environments in the policy's order."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.deployment import Slot
from bot.domain.event import Event
from bot.domain.trace import TraceState, apply
from bot.log.fold import state_text
from bot.studio.blockers import blockers, helpers, next_change
from bot.studio.headline import headline, ordered, title, waiting
from bot.studio.views import entries, environments, held_up, row
from tests.support.story import (
    BLOCKED,
    MERGED,
    READY,
    RELEASED,
    SHA,
    STAGED,
    change,
    event,
    gate,
    module,
    story,
    verdict,
)

POLICY = "version: 1\nenvironments:\n  staging: {gates: [tests-passed]}\n  production: {after: [staging]}\n"


def folded(*then: Any, known: bool = True) -> TraceState:
    """The state after the story and whatever happens then."""
    facts = {
        "correlation": "x", "repository": "acme/booking", "policyText": POLICY, "policyRevision": SHA,
    }  # fmt: skip
    return after(story(then=[*([("FactsGathered", facts, {})] if known else []), *then]))


def after(happened: list[Event]) -> TraceState:
    state = TraceState(tenant_id="acme", trace_id="trace-1")
    for one in happened:
        state = apply(state, one)
    return TraceState.model_validate_json(state_text(state))


def test_the_headline_answers_who_and_when() -> None:
    said = headline(folded())
    assert said.text == (
        "production waits: Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris. "
        "Wait, or say `/override-freeze production <reason>`. And 1 more. Can help: sam, jane.doe."
    )
    assert said.tone == "wait"


FAILED = ("DeploymentFailed", {
    "environment": "staging", "releaseId": "r", "revision": MERGED, "version": "1.0.0",
    "rolledBackTo": "0.9.0",
}, {})  # fmt: skip
ROLLBACK = ("RollbackTriggered", {
    "environment": "staging", "releaseId": "r", "version": "1.0.0", "toVersion": "0.9.0", "revision": MERGED,
    "reason": "not ready", "trigger": "automatic",
}, {})  # fmt: skip
NEEDED = (
    "ManualInterventionRequired",
    {"reasonCode": "X", "message": "Do it.", "role": "DevOpsEngineer"},
    {},
)
REJECTED = gate("production", "rejected", "TestsFailed", "Tests failed.", children=[
    gate("tests-passed", "rejected", "TestsFailed", "The tests of a1a1a1a failed.")])  # fmt: skip


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        (RELEASED, ("1.0.0 is released everywhere.", "good")),
        (RELEASED[:3] + STAGED[:1], ("Deploying 1.0.0 to staging.", "info")),
        ((*RELEASED[:3], STAGED[0], ROLLBACK), ("Rolling staging back from 1.0.0.", "bad")),
        ((("ChangeClosed", change(), {}),), ("The change was closed without a merge.", "bad")),
        ((("pointsman.VerdictChanged", verdict("production", REJECTED), {}),),
         ("production is blocked: The tests of a1a1a1a failed.", "bad")),
        ((("pointsman.VerdictChanged", verdict("production", READY), {}), *RELEASED[2:3], STAGED[0], FAILED),
         ("1.0.0 failed in staging. 0.9.0 runs again.", "bad")),
        ((("pointsman.VerdictChanged", verdict("production", READY), {}), NEEDED),
         ("DevOpsEngineer is needed: Do it.", "bad")),
    ],
)  # fmt: skip
def test_the_most_important_thing_is_said(then: Any, expected: tuple[str, str]) -> None:
    said = headline(folded(*then))
    assert (said.text, said.tone) == expected


def test_a_trace_that_only_watches_says_so() -> None:
    state = after([event(1, "Pushed", {"branch": "main"})])
    assert headline(state).text == "Only watched so far."
    assert title(state) == "trace-1"
    assert environments(state, {}) == []
    assert not held_up(state)


def test_many_helpers_are_counted() -> None:
    people = gate("approvals", "delayed", "ApprovalMissing", "Needs one.", who_can=["a", "b", "c", "d", "e"])
    tree = gate("production", "delayed", "ApprovalMissing", "Needs one.", children=[people])
    state = folded(("pointsman.VerdictChanged", verdict("production", tree), {}))
    assert headline(state).text == "production waits: Needs one. Can help: a, b, c and 2 more."


# -- blockers ----------------------------------------


def test_blockers_are_the_gates_that_do_not_hold() -> None:
    freeze, approvals = blockers(BLOCKED)
    assert (freeze.gate, freeze.who_can, freeze.next_change_at) == (
        "freeze",
        ("sam",),
        "2026-11-23T07:00:00.000Z",
    )
    assert (approvals.gate, approvals.who_can, approvals.next_change_at) == ("approvals", ("jane.doe",), None)
    assert approvals.sentence == "approvals: Needs ProductOwner. Can help: jane.doe."
    assert helpers(BLOCKED) == ("sam", "jane.doe")
    assert next_change(BLOCKED) == "2026-11-23T07:00:00.000Z"


def test_parts_of_a_gate_say_who_can_help_when_the_gate_does_not() -> None:
    part = gate(
        "role", "delayed", "X", "Needs one", who_can=["bob"], next_change_at="2026-11-21T00:00:00.000Z"
    )
    done = gate("other", "approved", "X", "Has one", who_can=["eve"])
    (found,) = blockers(
        gate("p", "delayed", "X", "m", children=[gate("g", "delayed", "X", "Needs", children=[part, done])])
    )
    assert (found.message, found.who_can, found.next_change_at) == (
        "Needs.",
        ("bob",),
        "2026-11-21T00:00:00.000Z",
    )


@pytest.mark.parametrize("tree", [{}, READY, gate("p", "skipped", "X", "does not apply")])
def test_what_holds_blocks_nothing(tree: dict[str, Any]) -> None:
    assert blockers(tree) == []
    assert helpers(tree) == ()
    assert next_change(tree) is None


def test_a_verdict_without_gates_blocks_by_itself() -> None:
    (found,) = blockers(gate("production", "rejected", "PolicyInvalid", "The policy is broken"))
    assert (found.gate, found.message) == ("production", "The policy is broken.")


# -- environments ----------------------------------------


def test_environments_stand_in_the_policys_order() -> None:
    assert ordered(folded()) == ["staging", "production"]
    assert ordered(folded(known=False)) == ["production", "staging"]  # stored states are sorted by name


def test_an_environment_says_what_runs_and_what_to_say() -> None:
    slot = Slot(
        environment="production", running_version="0.9.0", running_since=event(1, "x", {}).time, healthy=True
    )
    staging, production = environments(folded(), {"production": slot})
    assert (staging.name, staging.state, staging.steps) == ("staging", "ready", ())
    assert (production.name, production.state) == ("production", "waits")
    assert production.running == "0.9.0 runs there, healthy, since 2026-11-20 18:00 UTC."
    assert [step.command for step in production.steps] == ["", "/approve-release production REASON"]
    assert production.tree == BLOCKED


def test_a_freeze_that_says_its_command_is_not_told_it_twice() -> None:
    bare = gate("freeze", "delayed", "FreezeActive", "Frozen.")
    tree = gate("production", "delayed", "FreezeActive", "Frozen.", children=[bare])
    *_, production = environments(folded(("pointsman.VerdictChanged", verdict("production", tree), {})), {})
    assert [step.command for step in production.steps] == ["/override-freeze production REASON"]


def test_failed_tests_can_be_tried_again() -> None:
    *_, production = environments(
        folded(("pointsman.VerdictChanged", verdict("production", REJECTED), {})), {}
    )
    assert (production.state, [step.command for step in production.steps]) == ("blocked", ["/retry"])


def test_a_deployment_takes_the_verdicts_place() -> None:
    staging, production = environments(folded(*RELEASED[:3], *STAGED), {})
    assert (staging.state, staging.running, staging.url) == (
        "running",
        "1.0.0 was deployed.",
        "http://127.0.0.1:9000",
    )
    assert staging.tree is None
    assert (production.state, waiting(folded(*RELEASED[:3], *STAGED))) == ("waits", ["production"])


def test_a_failed_deployment_says_what_runs_instead() -> None:
    slot = Slot(environment="staging", running_version="0.9.0", healthy=True)
    staging, _ = environments(folded(*RELEASED[:3], STAGED[0], FAILED), {"staging": slot})
    assert (staging.state, staging.running) == ("failed", "1.0.0 failed. 0.9.0 runs there, healthy.")


def test_a_services_address_may_be_no_script() -> None:
    evil = (STAGED[1][0], STAGED[1][1] | {"url": "javascript:alert(1)"}, {})
    assert environments(folded(*RELEASED[:3], STAGED[0], evil), {})[0].url == ""


# -- list and timeline ----------------------------------------


def test_a_row_says_the_same_as_the_page() -> None:
    state = folded()
    said = row(state)
    assert (said.title, said.headline, said.tone) == ("booking 1.0.0", headline(state).text, "wait")
    assert said.environments == (("staging", "ready"), ("production", "waits"))
    assert held_up(state)
    assert not held_up(folded(*RELEASED))


def test_the_newest_comes_first_and_days_are_named_once() -> None:
    night = [
        event(1, "ModuleGenerated", module()).model_copy(
            update={"time": event(1, "x", {}).time.replace(day=19)}
        ),
        event(2, "LifecyclePhaseAdvanced", {"toState": "commit_ready"}),
        event(3, "TestsPassed", {"revision": SHA}),
        event(4, "TestsPassed", {"revision": MERGED}),
    ]
    assert [(one.sequence, one.day) for one in entries(night)] == [
        (4, "Fri 2026-11-20"), (3, ""), (2, "Fri 2026-11-20"), (1, "Thu 2026-11-19"),
    ]  # fmt: skip
