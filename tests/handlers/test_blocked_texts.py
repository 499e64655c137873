"""What somebody reads on a change that is not merged, word for word: what is so, and what to do, once each."""

from __future__ import annotations

import pytest

from bot.domain.errors import Permanent
from bot.studio.headline import headline
from tests.handlers.test_branch_update import BEHIND_ALLOWED, TWO_NEEDED, main_moves
from tests.handlers.test_journey import pushed
from tests.handlers.world import FROZEN, World

UNTIL = "Frozen by year-end until Mon 2027-01-04 00:00 Europe/Paris. Wait, or say `/override-freeze production <reason>`."


def frozen() -> World:
    world = World(policy=FROZEN)
    world.now = world.now.replace(month=12, day=20)
    return world.submit().tests()


def told(world: World) -> str:
    """The sticky comment between its heading and its foot."""
    text = world.forge.comments["verdict"]
    head, foot = "### Release of `booking-service` 1.0.0\n\n", "\n\nRevision `"
    assert text.startswith(head)
    return text.removeprefix(head).rpartition(foot)[0]


def test_waiting_for_a_person_and_a_freeze() -> None:
    world = frozen()
    assert told(world) == (
        "✅ **staging**: 1.0.0 may be merged for staging.\n\n"
        "⏳ **production** waits:\n\n"
        f"- ⏳ **freeze**: {UNTIL} Can help: `sam`.\n"
        "- ⏳ **approvals**: Needs an approval by ProductOwner: `/approve-release production`. Can help: `jane.doe`.\n"
        "- ✅ tests-passed"
    )
    assert headline(world.state).text == f"production waits: {UNTIL} And 1 more. Can help: sam, jane.doe."
    world.comment("jane.doe", "/status")
    status = next(text for name, text in reversed(world.forge.comments.items()) if name.startswith("reply-"))
    assert status.splitlines()[2:] == [
        "- ✅ **staging**: 1.0.0 may be merged for staging.",
        f"- ⏳ **production**: {UNTIL} Also: approvals.",
    ]


def test_what_is_wrong_comes_before_what_waits() -> None:
    world = World().submit().tests("failed")
    head = (world.state.head or "")[:7]
    failed = f"**tests-passed**: The tests of {head} failed: push a fix, or /retry if it was not the code."
    assert told(world) == (
        f"❌ **staging** is blocked:\n\n- ❌ {failed}\n- ✅ freeze\n\n"
        f"❌ **production** is blocked:\n\n- ❌ {failed}\n"
        "- ⏳ **approvals**: Needs an approval by ProductOwner: `/approve-release production`. Can help: `jane.doe`.\n"
        "- ✅ freeze"
    )


def test_one_reason_for_everything_is_said_once() -> None:
    world = World().submit().tests()
    mine, world.forge.policy = world.trace, "version: 1\nenvironments: 7\n"
    pushed(world, ".pointsman/policy.yaml")
    world.trace = mine
    (line,) = told(world).splitlines()
    assert line.startswith("❌ **staging**, **production**: The policy file is broken at ")


@pytest.mark.parametrize("effect", ["update", "merge"])
def test_a_conflict_stands_before_the_gates_that_hold(effect: str) -> None:
    world = World(policy=BEHIND_ALLOWED) if effect == "merge" else World()
    world.submit().tests()
    world.forge.refusal = Permanent("MergeConflict", "change 1 conflicts with main in app.py")
    world = main_moves(world) if effect == "update" else world
    world.comment("jane.doe", "/approve-release production")

    sentence = (
        "Not mergeable: change 1 conflicts with main in app.py. Merge main into feature/booking-service/trace-1234, solve "
        "the conflict, push."
    )
    assert told(world) == (
        f"⚠️ {sentence}\n\n"
        "✅ **staging**: 1.0.0 may be merged for staging.\n\n"
        "✅ **production**: 1.0.0 may be merged for production."
    )
    assert headline(world.state).text == sentence


def test_an_approval_that_ended_says_why_below_what_is_missing() -> None:
    world = World(policy=TWO_NEEDED).submit().tests().comment("jane.doe", "/approve-release production")
    before = world.state.head or ""
    main_moves(world)
    assert told(world).splitlines()[-1] == (
        f"- ↩️ The approval of `{before[:10]}` for **production** by `jane.doe` has ended: main went on and was merged into "
        "the branch."
    )


def test_explaining_shows_every_gate_and_says_nothing_twice() -> None:
    world = frozen().comment("jane.doe", "/explain production")
    said = next(text for name, text in reversed(world.forge.comments.items()) if name.startswith("reply-"))
    assert said.splitlines()[0] == "⏳ **production** waits:"
    assert said.count(UNTIL) == 1
    assert [line[2] for line in said.splitlines() if line.startswith("- ")] == ["⏳", "⏳", "➖", "✅"]
