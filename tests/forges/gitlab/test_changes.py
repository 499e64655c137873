"""Changes that are no longer, or never were, what somebody thinks."""

from __future__ import annotations

from bot.domain import effect as e
from bot.forges.local.git import ZERO
from tests.forges.gitlab.conftest import Desk, merging, refusal


def test_a_change_without_a_difference_is_not_opened(desk: Desk) -> None:
    desk.world.person("jane", "write")
    with desk.world.state.lock:
        desk.world.deeds.move(
            desk.world.project, desk.world.owner, "same", str(desk.stage.head("main")), before=ZERO
        )
    effect = e.OpenChange(source="same", target_branch="main", title="x", body="")
    assert refusal(desk, effect) == ("NothingToMerge", "same has nothing that main has not")


def test_a_merged_change_stays_merged(desk: Desk, head: str) -> None:
    desk.do(merging(head))
    assert refusal(desk, e.UpdateChange(change=1, state="closed")) == ("ChangeMerged", "change 1 is merged")
    assert refusal(desk, merging("f" * 40)) == (
        "HeadMoved",
        f"change 1 was merged at {head[:12]}, not {'f' * 12}",
    )


def test_a_change_whose_branch_is_gone_is_not_reopened(desk: Desk, head: str) -> None:
    desk.do(e.UpdateChange(change=1, state="closed"))
    desk.stage.delete_branch("olive", "feature/x")
    assert refusal(desk, e.UpdateChange(change=1, state="open"), "t.9.0") == (
        "BranchDeleted",
        "the branch feature/x of change 1 was deleted",
    )


def test_nothing_is_written_that_is_so_already(desk: Desk, head: str) -> None:
    asked = len(desk.server.asked)
    desk.do(e.UpdateChange(change=1, title="feat: x", body="Body", remove_labels=("none",), state="open"))
    assert {method for method, _ in desk.server.asked[asked:]} == {"GET"}
