"""What was merged is what was approved: also where a forge announces a merge without saying what is in it."""

from __future__ import annotations

import pytest

from bot.domain.effect import GatherFacts
from tests.handlers.world import World


def approved(*, tells: bool) -> World:
    world = World()
    world.forge.tells_trees = tells
    return world.submit().tests().comment("jane.doe", "/approve-release production")


@pytest.mark.parametrize("tells", [True, False])
def test_equal_trees_carry_the_approvals(tells: bool) -> None:
    world = approved(tells=tells)
    carried = world.last("pointsman.ApprovalsCarried").data
    merged = world.last("ChangeMerged").data
    assert (carried["fromRevision"], carried["toRevision"]) == (merged["head"], merged["mergeSha"])
    asked = [one for one in world.forge.performed if isinstance(one, GatherFacts) and one.purpose == "merged"]
    assert len(asked) == (0 if tells else 1)
    assert "ReleasePublished" in world.types()


def test_a_merge_that_the_forge_could_not_name_is_named_when_it_is_asked() -> None:
    """A squashed fast-forward on GitLab: its call names the head alone."""
    world = World()
    world.forge.tells_trees = False
    world.submit().tests()
    world.forge.names_merges = False
    world.comment("jane.doe", "/approve-release production")
    first, second = (event for event in world.events if event.type == "ChangeMerged")
    assert first.data["mergeSha"] == first.data["head"] != second.data["mergeSha"]
    assert world.last("pointsman.ApprovalsCarried").data["toRevision"] == second.data["mergeSha"]
    assert "ReleasePublished" in world.types()


@pytest.mark.parametrize(
    "trees", [{"tree": "", "mergeTree": ""}, {"tree": "a", "mergeTree": "b"}, {"mergeSha": "f" * 40}]
)
def test_another_tree_one_that_nobody_tells_and_another_merge_carry_nothing(trees: dict[str, str]) -> None:
    world = World()
    world.forge.tells_trees = False
    world.submit().tests()
    gather = world.forge.do_gather_facts

    def silent(effect: GatherFacts, of: object) -> object:
        found = gather(effect, of)
        if found.change and effect.purpose == "merged":
            found = found.model_copy(update={"change": found.change | trees})
        return found

    world.forge.do_gather_facts = silent  # type: ignore[method-assign, assignment]
    world.comment("jane.doe", "/approve-release production")
    assert world.types("ChangeMerged", "pointsman.ApprovalsCarried") == ["ChangeMerged"]
