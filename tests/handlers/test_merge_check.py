"""`pointsman/merge`: the one check that branch protection names, whatever environments the policy has."""

from __future__ import annotations

from bot.domain import effect as fx
from bot.domain import payloads as p
from bot.domain.catalog import draft
from tests.handlers.test_journey import pushed
from tests.handlers.world import POLICY, World

CHECK = "pointsman/merge"
QA = POLICY + "  qa:\n    gates: [{approvals: {role: Deployer}}]\n"
MANUAL = "merge: {when: manual}\n"


def said(world: World) -> list[tuple[str, str | None, str]]:
    """Revision, conclusion and title of the check, each time it was set."""
    return [
        (effect.revision, effect.conclusion, effect.title)
        for effect in world.forge.performed
        if isinstance(effect, fx.SetCheck) and effect.name == CHECK
    ]


def last(world: World) -> tuple[str | None, str]:
    _revision, conclusion, title = said(world)[-1]
    return conclusion, title


def policy(world: World, text: str) -> World:
    world.forge.policy = text
    mine = world.trace
    pushed(world, ".pointsman/policy.yaml")
    world.trace = mine
    return world


def test_it_waits_until_every_environment_agrees_and_is_there_before_the_merge() -> None:
    world = World().submit()
    assert last(world) == (None, "Waits for staging, production")
    world.tests()
    assert last(world) == (None, "Waits for production")

    world.comment("jane.doe", "/approve-release production")

    assert last(world) == ("success", "May be merged: every gate before the merge holds")
    kinds = [
        effect.kind
        for effect in world.forge.performed
        if isinstance(effect, fx.MergeChange) or getattr(effect, "name", "") == CHECK
    ]
    assert kinds[-2:] == ["SetCheck", "MergeChange"]


def test_an_environment_that_left_the_policy_no_longer_stands_in_the_way() -> None:
    world = World(policy=QA).submit().tests().comment("jane.doe", "/approve-release production")
    assert last(world) == (None, "Waits for qa")

    policy(world, POLICY)

    assert last(world)[0] == "success"
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_an_environment_that_came_to_the_policy_stands_in_the_way() -> None:
    world = World(policy=POLICY + MANUAL).submit().tests().comment("jane.doe", "/approve-release production")
    assert last(world)[0] == "success"

    policy(world, QA + MANUAL)

    assert last(world) == (None, "Waits for qa")


def test_it_says_no_when_an_environment_does() -> None:
    rejecting = POLICY.replace("  Deployer:", "  ReleaseManager: {users: [sam]}\n  Deployer:")
    world = World(policy=rejecting).submit().tests().comment("sam", "/reject-release production no")
    assert last(world) == ("failure", "Rejected for production")


def test_a_broken_policy_lets_nothing_through() -> None:
    world = World(policy=POLICY + MANUAL).submit().tests().comment("jane.doe", "/approve-release production")
    policy(world, "version: 1\nenvironments: 7\n")
    assert last(world)[0] == "failure"


def test_while_only_observed_it_stops_nobody() -> None:
    world = World(policy=POLICY + "mode: observe\n").submit().tests()
    assert last(world) == ("neutral", "Would wait for production")


def test_each_head_gets_its_own_and_it_is_said_once() -> None:
    world = World().submit().tests()
    first = world.state.head
    count = len(said(world))
    world.say(draft("TriggerRequested", p.TriggerRequested(reason="reconciliation")))
    assert len(said(world)) == count

    world.push("agent")

    assert said(world)[-1][0] == world.state.head != first
    assert [
        event.data["waitsFor"] for event in world.events if event.type == "pointsman.MergeVerdictChanged"
    ][-1] == ["staging", "production"]


def test_a_new_head_gets_it_also_when_the_answer_is_the_same() -> None:
    world = World().submit()
    first = said(world)[-1]
    world.push("agent")
    assert said(world)[-1] == (world.state.head, *first[1:])
    assert world.state.head != first[0]


def test_it_is_said_again_when_somebody_asks_for_it_again() -> None:
    world = World().submit().tests()
    count = len(said(world))
    asked = p.CheckRequested(
        repository="demo/booking", revision=world.state.head or "", name=CHECK, again=True
    )
    world.say(draft("CheckRequested", asked))
    assert said(world)[count:] == [(world.state.head, None, "Waits for production")]


def test_after_the_merge_there_is_nothing_to_say() -> None:
    world = World().submit().tests().comment("jane.doe", "/approve-release production")
    merged = world.state.head
    assert merged not in {revision for revision, _, _ in said(world)}
