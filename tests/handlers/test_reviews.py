"""Reviews on the forge through the whole loop."""

from __future__ import annotations

import pytest

from bot.domain import payloads as p
from bot.domain.catalog import draft
from tests.handlers.world import POLICY, World, person

REVIEWED = POLICY.replace("{role: ProductOwner}", "{team: acme/product, accept: [commands, reviews]}")


def reviewed(
    world: World, author: str = "rita", state: str = "approved", number: str = "r1", **said: object
) -> World:
    change = world.state.change or {}
    known = {
        "repository": world.forge.repository, "change": change["number"], "reviewId": number, "author": author,
        "state": state, "revision": change["head"], "submittedAt": world.now,
    }  # fmt: skip
    return world.say(draft("ReviewSubmitted", p.Review.model_validate(known | said), actor=author))


def waiting(policy: str = REVIEWED) -> World:
    world = World(policy=policy)
    world.forge.people["rita"] = person("rita", "read", "acme/product")
    return world.submit().tests()


def test_a_review_by_the_right_person_approves() -> None:
    world = reviewed(waiting())
    assert world.types("ChangeMerged", "ReleasePublished") == ["ChangeMerged", "ReleasePublished"]


@pytest.mark.parametrize(
    "said",
    [
        {"author": "mallory"},
        {"state": "commented"},
        {"state": "changes_requested"},
        {"revision": "f" * 40},
        {"change": 77},
    ],
)
def test_nothing_else_does(said: dict[str, object]) -> None:
    assert reviewed(waiting(), **said).types("ChangeMerged") == []  # type: ignore[arg-type]


def test_without_a_word_of_the_policy_reviews_do_not_count() -> None:
    policy = REVIEWED.replace(", accept: [commands, reviews]", "")
    assert reviewed(waiting(policy)).types("ChangeMerged") == []


def test_the_last_word_of_a_reviewer_counts() -> None:
    policy = REVIEWED.replace("- tests-passed\n      - approvals", "- hold\n      - approvals")
    world = waiting(policy)
    world.forge.change["labels"] = ["hold"]  # type: ignore[index]
    reviewed(world)
    assert [review.ended for review in world.state.reviews] == [""]
    reviewed(world, state="changes_requested", number="r2")
    assert [review.ended for review in world.state.reviews] == ["revoked"]


def test_a_dismissed_review_counts_no_more() -> None:
    policy = REVIEWED.replace("team: acme/product", "team: acme/product, count: 2")
    world = waiting(policy)
    world.forge.people["rob"] = person("rob", "read", "acme/product")
    reviewed(world)
    gone = p.ReviewDismissed(repository=world.forge.repository, change=1, review_id="r1", author="rita")
    world.say(draft("ReviewDismissed", gone))
    reviewed(world, author="rob", number="r2")
    assert world.types("ChangeMerged") == []


def test_a_push_ends_what_a_review_said() -> None:
    policy = REVIEWED.replace("team: acme/product", "team: acme/product, count: 2")
    world = reviewed(waiting(policy))
    world.push("agent")
    world.tests()
    assert "is not this revision" in str(world.state.releases["production"].tree)


def test_code_owners_are_read_from_the_base_branch() -> None:
    policy = POLICY.replace("{role: ProductOwner}", "{code-owners: true}")
    world = World(policy=policy)
    world.forge.branches["main"]["CODEOWNERS"] = "* @rita\n"
    world.forge.people["rita"] = person("rita", "read")
    world.forge.paths = ("booking_service/__init__.py",)
    world.submit().tests()
    assert world.state.releases["production"].reason_code == "ApprovalMissing"
    world.comment("rita", "/approve-release production fine")
    assert world.types("ChangeMerged") == ["ChangeMerged"]


def test_without_a_code_owners_file_nobody_is_asked_and_nothing_waits() -> None:
    policy = POLICY.replace("{role: ProductOwner}", "{code-owners: true}")
    world = World(policy=policy)
    world.forge.paths = ("booking_service/__init__.py",)
    world.submit().tests()
    assert world.types("ChangeMerged") == ["ChangeMerged"], "the tests are a gate that applies"
