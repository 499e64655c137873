"""Bringing a change's branch up to date with its target, on every forge.

How a forge does it is its own matter (a merge commit, or the commits made anew on top): what counts is that
the new head contains the target's head, has the files of both, and is told as the change's new head.
"""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

BRANCH = "feature/booking"


@pytest.fixture
def head(stage: Stage, do: Do) -> str:
    """A branch with one commit of the bot."""
    result = do(
        e.CommitFiles(
            branch=BRANCH,
            base="main",
            files=(e.File(path="app.py", content="one\n"),),
            message="feat: add",
            trailers={"Trace-Id": "trace-1"},
        ),
        "trace-1.000002.0",
    )
    assert isinstance(result, e.CommitResult)
    return result.sha


@pytest.fixture
def change(stage: Stage, do: Do, head: str) -> int:
    opened = do(
        e.OpenChange(source=BRANCH, target_branch="main", title="feat: add booking", body="It books."),
        "trace-1.000003.0",
    )
    assert isinstance(opened, e.ChangeResult)
    return opened.number


def main_moves(
    stage: Stage, do: Do, path: str = "b.py", content: str = "theirs\n", *, by: str = "kim"
) -> str:
    """Somebody's change is merged into main; main's new head."""
    stage.person(by, "write")
    branch = f"other/{path}"
    pushed = stage.push(by, branch, {path: content}, f"feat: {path}")
    opened = do(
        e.OpenChange(source=branch, target_branch="main", title=f"feat: {path}", body=""), f"{path}.000001.0"
    )
    assert isinstance(opened, e.ChangeResult)
    merging = e.MergeChange(change=opened.number, expected_head=pushed, method="merge", message="feat: b")
    merged = do(merging, f"{path}.000002.0")
    assert isinstance(merged, e.MergeResult)
    return merged.sha


def updating(change: int, head: str) -> e.UpdateBranch:
    return e.UpdateBranch(change=change, expected_head=head, trailers={"Trace-Id": "trace-1"})


def contains(stage: Stage, head: str, older: str) -> bool:
    seen, waiting = set[str](), [head]
    while waiting:
        sha = waiting.pop()
        if sha not in seen:
            seen.add(sha)
            waiting += stage.parents(sha)
    return older in seen


def refused(do: Do, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> str:
    with pytest.raises(Permanent) as error:
        do(effect, effect_id)
    return error.value.reason_code


def test_a_branch_that_has_everything_is_left_alone(stage: Stage, do: Do, change: int, head: str) -> None:
    result = do(updating(change, head))
    assert result == e.UpdateResult(head=head, base=str(stage.head("main")), updated=False)
    assert stage.head(BRANCH) == head


def test_a_branch_that_is_behind_gets_what_its_target_has(
    stage: Stage, do: Do, change: int, head: str
) -> None:
    main = main_moves(stage, do)

    result = do(updating(change, head))

    assert isinstance(result, e.UpdateResult)
    assert (result.base, result.updated) == (main, True)
    assert stage.head(BRANCH) == stage.change(change)["head"] == result.head != head
    assert contains(stage, result.head, main)
    assert set(stage.files(result.head)) == {"README.md", "app.py", "b.py"}
    assert stage.head("main") == main
    assert stage.change(change)["state"] == "open"


def test_what_is_merged_after_it_is_what_the_branch_had(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    updated = do(updating(change, head))
    assert isinstance(updated, e.UpdateResult)

    merged = do(
        e.MergeChange(change=change, expected_head=updated.head, message="feat: add booking (#1)"),
        "trace-1.000009.0",
    )

    assert isinstance(merged, e.MergeResult)
    assert merged.tree == merged.head_tree


def test_updating_twice_is_once(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    first = do(updating(change, head))
    assert isinstance(first, e.UpdateResult)
    assert do(updating(change, head)) == first
    assert stage.head(BRANCH) == first.head


def test_each_move_of_the_target_is_brought_in(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    first = do(updating(change, head))
    assert isinstance(first, e.UpdateResult)
    main = main_moves(stage, do, "c.py", by="lee")

    second = do(updating(change, first.head), "trace-1.000009.0")

    assert isinstance(second, e.UpdateResult)
    assert (second.base, second.updated) == (main, True)
    assert set(stage.files(second.head)) == {"README.md", "app.py", "b.py", "c.py"}


def test_a_conflict_is_told_and_leaves_all_as_it_was(stage: Stage, do: Do, change: int, head: str) -> None:
    main = main_moves(stage, do, "app.py")
    assert refused(do, updating(change, head)) == "MergeConflict"
    assert (stage.head(BRANCH), stage.head("main")) == (head, main)
    assert (stage.change(change)["state"], stage.change(change)["head"]) == ("open", head)


def test_a_head_that_moved_is_left_alone(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    stage.person("jane", "write")
    hers = stage.push("jane", BRANCH, {"app.py": "hers\n"}, "fix: hers")
    assert refused(do, updating(change, head)) == "HeadMoved"
    assert stage.head(BRANCH) == hers


def test_a_closed_change_is_left_alone(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    do(e.UpdateChange(change=change, state="closed"), "trace-1.000004.0")
    assert refused(do, updating(change, head)) == "ChangeClosed"
    assert stage.head(BRANCH) == head


def test_a_merged_change_is_left_alone(stage: Stage, do: Do, change: int, head: str) -> None:
    do(e.MergeChange(change=change, expected_head=head, message="feat: add"), "trace-1.000004.0")
    main = stage.head("main")
    assert refused(do, updating(change, head)) == "ChangeMerged"
    assert stage.head("main") == main


def test_a_deleted_branch_does_not_come_back(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    stage.person("jane", "write")
    stage.delete_branch("jane", BRANCH)
    assert refused(do, updating(change, head)) == "BranchDeleted"
    assert stage.head(BRANCH) is None


def test_without_the_right_to_push_nothing_is_done(stage: Stage, do: Do, change: int, head: str) -> None:
    main_moves(stage, do)
    stage.take_write_access()
    assert refused(do, updating(change, head)) == "NoWriteAccess"
    assert stage.head(BRANCH) == head


def test_a_change_that_is_not_there(stage: Stage, do: Do, head: str) -> None:
    assert refused(do, updating(99, head)) == "NotFound"


def test_the_new_head_is_told_and_nobody_of_the_target_becomes_a_committer(
    stage: Stage, do: Do, change: int, head: str
) -> None:
    main_moves(stage, do, by="kim")
    result = do(updating(change, head))
    assert isinstance(result, e.UpdateResult)

    gathered = do(e.GatherFacts(correlation="c", purpose="release", change=change), "trace-1.000008.0")

    assert isinstance(gathered, p.FactsGathered)
    known = gathered.to_json()["change"]
    assert known["head"] == result.head
    assert "kim" not in known["committers"]
