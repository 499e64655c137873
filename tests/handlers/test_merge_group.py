"""A merge queue asks about a group: the answer is what the bot says of the change that the group adds."""

from __future__ import annotations

import pytest

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from tests.handlers.fake_forge import sha_of
from tests.handlers.world import POLICY, World

GROUP = sha_of("group")
BY_HAND = f"{POLICY}merge: {{when: manual}}\n"


def asked(world: World, *changes: int) -> list[fx.SetCheck]:
    """What is said of the group."""
    about = {
        "revision": GROUP,
        "target": "main",
        "base": sha_of("base"),
        "branch": "gh-readonly-queue/main/pr-1",
    }
    said = p.MergeGroupRequested.model_validate({"repository": "demo/booking", "changes": changes, **about})
    world.say(draft("MergeGroupRequested", said))
    return [check for check in world.forge.wanted(fx.SetCheck) if check.revision == GROUP]


def approved(policy: str = BY_HAND) -> World:
    world = World(policy=policy).submit().tests()
    return world.comment("jane.doe", "/approve-release production looks right")


def test_a_group_that_adds_an_approved_change_may_be_merged() -> None:
    (check,) = asked(approved(), 1)
    assert (check.name, check.conclusion) == ("pointsman/merge", "success")
    assert check.title == "May be merged: change 1 is approved everywhere"
    assert check.repository == "demo/booking"


def test_a_group_that_adds_one_that_waits_for_approval_may_not() -> None:
    (check,) = asked(World(policy=BY_HAND).submit().tests(), 1)
    assert check.conclusion == "failure"
    assert check.title == "Change 1 is not approved for production"
    assert check.summary == (
        "The group is judged by the change that it adds, #1. What is missing, and who can help, is in "
        "`pointsman/release: staging`, `pointsman/release: production`. Put it into the queue again when they agree."
    )


def test_what_was_approved_before_the_last_push_is_not_enough() -> None:
    world = approved()
    world.push("mallory")
    (check,) = asked(world, 1)
    assert check.conclusion == "failure"


def test_an_observing_policy_blocks_no_queue() -> None:
    (check,) = asked(World(policy=f"{BY_HAND}mode: observe\n").submit().tests(), 1)
    assert check.conclusion == "neutral"
    assert check.title == "Would not let change 1 in: production"


@pytest.mark.parametrize("changes", [(), (2,)])
def test_a_group_that_adds_another_change_is_not_ours_to_judge(changes: tuple[int, ...]) -> None:
    assert asked(approved(), *changes) == []


def test_the_forge_is_asked_anew() -> None:
    world = approved()
    before = len(world.forge.wanted(fx.GatherFacts))
    world.forge.people["jane.doe"] = p.Actor(login="jane.doe", permission="none")
    asked(world, 1)
    assert len(world.forge.wanted(fx.GatherFacts)) == before + 1


def test_asking_twice_says_the_same() -> None:
    world = approved()
    asked(world, 1)
    first, second = asked(world, 1)
    assert first == second


def test_a_change_that_is_merged_already_is_not_judged() -> None:
    assert asked(approved(POLICY), 1) == []
