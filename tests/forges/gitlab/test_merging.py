"""How projects merge is their own setting; what GitLab then does and says."""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.domain.errors import Retryable
from bot.forges.local.git import git
from tests.forges.gitlab.conftest import TRAILER, Desk, merging, refusal
from tests.forges.gitlab.fake.world import REPOSITORY


def test_a_squash_with_merge_commits_is_one_commit_and_its_merge(desk: Desk, head: str) -> None:
    main = desk.stage.head("main")
    done = desk.do(merging(head))
    first, squashed = desk.stage.parents(done.sha)
    assert (first, desk.stage.parents(squashed)) == (main, [main])
    assert squashed != head
    assert [desk.stage.message(sha) for sha in (done.sha, squashed)] == [TRAILER, TRAILER]
    assert (
        done.tree
        == done.head_tree
        == git(desk.world.project.repo.folder, "rev-parse", f"{head}^{{tree}}").decode().strip()
    )


@pytest.mark.parametrize(
    ("way", "method"), [("merge", "rebase"), ("rebase_merge", "rebase"), ("ff", "merge")]
)
def test_what_the_project_does_not_do_is_said_before_anything_is_done(
    desk: Desk, head: str, way: str, method: str
) -> None:
    desk.world.project.merge_method = way
    code, message = refusal(desk, merging(head, method))
    assert (code, message) == (
        "MergeMethod",
        (
            f"{REPOSITORY} does not merge by {method} (merge method {way}, squash default_off): "
            f"set `merge: {{method: ...}}` in the policy, or Settings > Merge requests in {REPOSITORY}"
        ),
    )
    assert desk.world.change(1).state == "opened"


@pytest.mark.parametrize(("option", "method"), [("never", "squash"), ("always", "merge")])
def test_a_project_may_insist_on_squashing_or_on_not(desk: Desk, head: str, option: str, method: str) -> None:
    desk.world.project.squash_option = option
    assert refusal(desk, merging(head, method))[0] == "MergeMethod"


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_a_fast_forward_behind_its_target_is_rebased_and_only_once(
    desk: Desk, head: str, method: str
) -> None:
    desk.world.project.merge_method = "ff"
    theirs = desk.stage.put({"b.py": "b\n"})
    desk.world.state.slow_rebase = 3
    desk.fault("PUT", "/merge$", kind="answer", status=500)

    done = desk.insist(merging(head, method))

    assert desk.stage.parents(done.sha) == [theirs]
    assert len(desk.world.change(1).versions) == 2
    assert done.tree != done.head_tree
    assert desk.do(merging(head, method)) == done


@pytest.mark.parametrize("way", ["merge", "ff"])
def test_what_must_be_up_to_date_is_neither_merged_behind_nor_rebased(
    desk: Desk, head: str, way: str
) -> None:
    desk.world.project.merge_method = way
    desk.stage.put({"b.py": "b\n"})
    assert refusal(desk, merging(head, up_to_date=True)) == ("BranchBehind", "feature/x is behind main")
    assert len(desk.world.change(1).versions) == 1
    updated = desk.do(e.UpdateBranch(change=1, expected_head=head), "t.8.0")
    done = desk.do(merging(updated.head, up_to_date=True))
    assert done.tree == done.head_tree


def test_semi_linear_merges_are_rebased_as_well(desk: Desk, head: str) -> None:
    desk.world.project.merge_method = "rebase_merge"
    theirs = desk.stage.put({"b.py": "b\n"})
    done = desk.do(merging(head, "merge"))
    assert desk.stage.parents(done.sha)[0] == theirs
    assert desk.stage.message(done.sha) == TRAILER


def test_a_rebase_that_goes_on_is_waited_for(desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.forges.gitlab import rebase

    monkeypatch.setattr(rebase, "LOOKS", 2)
    desk.stage.put({"b.py": "b\n"})
    desk.world.state.slow_rebase = 50
    with pytest.raises(Retryable, match=r"^GitLab is still rebasing change 1$"):
        desk.do(e.UpdateBranch(change=1, expected_head=head))
    desk.world.change(1).rebase_polls = 0
    assert desk.do(e.UpdateBranch(change=1, expected_head=head)).updated


def test_a_rebase_by_somebody_else_is_another_head(desk: Desk, head: str) -> None:
    """The patch is the same; who made it is not."""
    jane = desk.world.person("jane", "write")
    desk.stage.put({"b.py": "b\n"})
    with desk.world.state.lock:
        desk.world.deeds.rebase(desk.world.project, jane, desk.world.change(1))
    assert refusal(desk, merging(head))[0] == "HeadMoved"
    assert refusal(desk, e.UpdateBranch(change=1, expected_head=head))[0] == "HeadMoved"


def test_a_commit_on_top_of_a_rebase_is_another_head(desk: Desk, head: str) -> None:
    desk.stage.put({"b.py": "b\n"})
    desk.do(e.UpdateBranch(change=1, expected_head=head))
    desk.world.person("jane", "write")
    desk.stage.push("jane", "feature/x", {"evil.py": "x\n"}, "fix: x")
    assert refusal(desk, merging(head), "trace-1.000009.0")[0] == "HeadMoved"


@pytest.mark.parametrize(
    ("title", "approvals", "code", "words"),
    [
        ("Draft: x", 0, "ChangeIsDraft", "change 1 is a draft"),
        ("x", 1, "ApprovalsMissing", "change 1 lacks approvals that the project asks for"),
    ],
)
def test_why_gitlab_does_not_merge_is_said(
    desk: Desk, head: str, title: str, approvals: int, code: str, words: str
) -> None:
    desk.world.change(1).title, desk.world.project.approvals_required = title, approvals
    assert refusal(desk, merging(head)) == (code, words)


def test_who_may_not_merge_is_told_where_it_is_set(desk: Desk, head: str) -> None:
    desk.world.project.protected["main"] = (0, 0)
    assert refusal(desk, merging(head)) == (
        "NoMergeAccess",
        "release-bot may not merge into main: allow its role under Protected branches",
    )


def test_a_status_that_nobody_has_a_word_for_is_passed_on(
    desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(desk.world.deeds), "merge_status", lambda *_: "locked_paths")
    assert refusal(desk, merging(head)) == ("MergeRefused", "change 1 cannot be merged (locked_paths)")
    monkeypatch.setattr(type(desk.world.deeds), "merge_status", lambda *_: "checking")
    with pytest.raises(Retryable, match=r"^change 1 cannot be merged yet \(checking\)$"):
        desk.do(merging(head))
