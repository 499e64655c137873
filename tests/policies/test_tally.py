"""What has become of each approval: one reason each, the same that the verdict goes by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.payloads import Actor
from bot.domain.release import REVIEW
from policies import evaluate, tally
from tests.policies.builders import HEAD, NOON, OLD, approval, facts, of_gates

ROLES = "{ProductOwner: {users: [jane, bob, ann]}}"
GATE = "approvals: {role: ProductOwner}"


def standings(gate: str, *given_: Any, **known: Any) -> list[tuple[str, str]]:
    policy = of_gates(gate, roles=ROLES)
    found = tally.told(policy, facts(approvals=given_, **known), NOON + timedelta(hours=2))
    return [(one.standing, one.why) for one in found]


@pytest.mark.parametrize(
    ("gate", "said", "expected"),
    [
        (GATE, {}, ("counts", "")),
        (GATE, {"revision": OLD}, ("pushed", "")),
        (GATE, {"ended": "revoked"}, ("revoked", "")),
        (
            GATE,
            {"ended": "invalidated", "why": "main went on", "revision": OLD},
            ("invalidated", "main went on"),
        ),
        (GATE, {"approver": "bob"}, ("barred", "is the author")),
        (GATE, {"approver": "BOB"}, ("barred", "is the author")),
        (GATE, {"approver": "mallory"}, ("not-asked", "")),
        (GATE, {"method": REVIEW, "environment": ""}, ("other-way", "")),
        ("approvals: {role: ProductOwner, accept: reviews}", {}, ("other-way", "")),
        (
            "approvals: {role: ProductOwner, accept: reviews}",
            {"method": REVIEW, "environment": ""},
            ("counts", ""),
        ),
        ("approvals: {role: ProductOwner, expires: 1h}", {}, ("expired", "")),
        ("approvals: {role: ProductOwner, expires: 3h}", {}, ("counts", "")),
        ("approvals: {role: ProductOwner, justification: true}", {"comment": " "}, ("unjustified", "")),
        ("approvals: {role: ProductOwner, justification: true}", {"comment": "seen"}, ("counts", "")),
        ("tests-passed", {}, ("not-asked", "")),
    ],
)
def test_each_reason(gate: str, said: dict[str, Any], expected: tuple[str, str]) -> None:
    given_ = approval(said.pop("approver", "jane"), **said)
    assert standings(gate, given_) == [expected]


def test_an_approval_for_another_environment_is_not_told() -> None:
    assert standings(GATE, approval("jane", environment="staging")) == []


def test_what_was_carried_by_an_equal_tree_counts() -> None:
    assert standings(GATE, approval("jane", revision=OLD), carried={HEAD: OLD}) == [("counts", "")]


def test_one_gate_that_counts_it_is_enough() -> None:
    policy = of_gates(
        "approvals: {role: ProductOwner, accept: reviews}",
        "{when: 'change.draft == false', approvals: {user: jane}}",
        roles=ROLES,
    )
    (told,) = tally.told(policy, facts(approvals=(approval("jane"),)), NOON)
    assert told.standing == "counts"


@given(
    who=st.sampled_from(["jane", "bob", "ann", "mallory"]),
    revision=st.sampled_from([HEAD, OLD]),
    ended=st.sampled_from(["", "revoked", "invalidated"]),
    bot=st.booleans(),
    count=st.integers(1, 2),
)
def test_it_never_says_that_something_counts_that_the_verdict_does_not_count(
    who: str, revision: str, ended: Any, *, bot: bool, count: int
) -> None:
    policy = of_gates(f"approvals: {{role: ProductOwner, count: {count}}}", roles=ROLES)
    known = facts(
        approvals=(approval(who, revision=revision, ended=ended),),
        actors={who: Actor(login=who, permission="write", bot=bot)},
    )
    (told,) = tally.told(policy, known, NOON)
    gate = next(child for child in evaluate(policy, known, NOON).children if child.name == "approvals")
    assert (told.standing == "counts") == (who in gate.have.split(", "))
