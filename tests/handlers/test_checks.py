"""Checks asked for again, and their buttons: the same commands, the same rights, the same answers."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.effect import SetCheck
from tests.handlers.world import World

CHECK = "pointsman/release: production"


def waiting() -> World:
    """Staging has nothing against it, production waits for an owner."""
    return World().submit().tests()


def press(
    world: World, action: str, who: str = "jane.doe", *, name: str = CHECK, revision: str = ""
) -> World:
    said = p.CheckActionRequested(
        repository=world.forge.repository,
        revision=revision or world.state.head or "",
        name=name,
        action=action,
    )
    return world.say(draft("CheckActionRequested", said, actor=who))


def verdict_checks(world: World) -> list[SetCheck]:
    return [e for e in world.forge.performed if isinstance(e, SetCheck) and e.name == CHECK]


def test_a_verdict_has_three_buttons() -> None:
    (*_, last) = verdict_checks(waiting())
    assert [(one.action, one.label) for one in last.buttons] == [
        ("approve", "Approve"),
        ("explain", "Explain"),
        ("reevaluate", "Re-evaluate"),
    ]


def test_approve_signs_off_the_revision_of_the_check() -> None:
    world = waiting()
    head = world.state.head or ""
    press(world, "approve")
    (granted,) = [event for event in world.events if event.type == "ApprovalGranted"]
    assert (granted.actor, granted.data["revision"], granted.data["method"]) == ("jane.doe", head, "button")
    (reply,) = [text for key, text in world.forge.comments.items() if key.startswith("reply-")]
    assert reply == (
        f"`jane.doe` pressed a button that says `/approve-release production @{head}`.\n\n"
        f"✅ `jane.doe` (ProductOwner) approved `{head[:10]}` for **production**."
    )


def test_a_button_gives_nobody_a_right() -> None:
    world = press(waiting(), "approve", "mallory")
    assert "ApprovalGranted" not in world.types()
    (refused,) = [event for event in world.events if event.type == "CommandRefused"]
    assert (refused.actor, refused.data["reasonCode"]) == ("mallory", "UnauthorizedApprover")


def test_a_button_of_an_old_revision_approves_nothing() -> None:
    world = waiting()
    old = world.state.head or ""
    world.push("agent")
    press(world, "approve", revision=old)
    assert "ApprovalGranted" not in world.types()
    (refused,) = [event for event in world.events if event.type == "CommandRefused"]
    assert refused.data["reasonCode"] == "HeadMoved"


def test_explain_answers_on_the_change() -> None:
    world = press(waiting(), "explain", "reader")
    (reply,) = [text for key, text in world.forge.comments.items() if key.startswith("reply-")]
    assert reply.startswith("`reader` pressed a button that says `/explain production`.\n\n")


@pytest.mark.parametrize("again", ["button", "forge"])
def test_looking_again_says_the_same_verdict_again(again: str) -> None:
    world = waiting()
    before = verdict_checks(world)
    if again == "button":
        press(world, "reevaluate")
    else:
        wanted = p.CheckRequested(
            repository=world.forge.repository, revision=world.state.head or "", name=CHECK, again=True
        )
        world.say(draft("CheckRequested", wanted, actor="reader"))
    after = verdict_checks(world)
    assert len(after) == len(before) + 1
    assert after[-1] == before[-1]


def test_what_a_push_wants_and_what_is_not_ours_does_nothing() -> None:
    world = waiting()
    before = len(world.forge.performed)
    wanted = p.CheckRequested(repository=world.forge.repository, revision=world.state.head or "")
    world.say(draft("CheckRequested", wanted))
    world.say(draft("CheckRequested", wanted.model_copy(update={"again": True, "revision": "b" * 40})))
    press(world, "approve", name="somebody/else")
    press(world, "self-destruct")
    assert len(world.forge.performed) == before
