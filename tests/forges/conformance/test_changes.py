"""Changes, comments, checks, merging on every forge."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage


@pytest.fixture
def head(stage: Stage, do: Do) -> str:
    """A branch with one commit of the bot."""
    result = do(
        e.CommitFiles(
            branch="feature/booking",
            base="main",
            files=(e.File(path="app.py", content="one\n"),),
            message="feat: add",
            trailers={"Trace-Id": "trace-1"},
        ),
        "trace-1.000002.0",
    )
    assert isinstance(result, e.CommitResult)
    return result.sha


OPEN = e.OpenChange(
    source="feature/booking",
    target_branch="main",
    title="feat: add booking",
    body="It books.",
    labels=("trace:trace-1",),
)


@pytest.fixture
def change(stage: Stage, do: Do, head: str) -> int:
    opened = do(OPEN, "trace-1.000003.0")
    assert isinstance(opened, e.ChangeResult)
    return opened.number


def merging(change: int, head: str, **more: Any) -> e.MergeChange:
    said = {
        "change": change,
        "expected_head": head,
        "message": "feat: add booking (#1)",
        "trailers": {"Trace-Id": "trace-1"},
    }
    return e.MergeChange(**(said | more))


def test_opening_twice_is_once(stage: Stage, do: Do, head: str) -> None:
    first, second = do(OPEN), do(OPEN, "trace-1.000009.0")
    assert isinstance(first, e.ChangeResult)
    assert isinstance(second, e.ChangeResult)
    assert first.created
    assert first.head == head
    assert second == first.model_copy(update={"created": False})
    assert stage.changes() == 1
    seen = stage.change(first.number)
    assert (seen["title"], seen["body"], seen["state"], seen["labels"]) == (
        "feat: add booking",
        "It books.",
        "open",
        ["trace:trace-1"],
    )


def test_a_change_from_a_branch_that_was_deleted(stage: Stage, do: Do, head: str) -> None:
    stage.person("jane", "write")
    stage.delete_branch("jane", "feature/booking")
    with pytest.raises(Permanent) as refused:
        do(OPEN)
    assert refused.value.reason_code == "BranchDeleted"
    assert stage.changes() == 0


def test_updating_changes_what_is_given_and_keeps_the_rest(stage: Stage, do: Do, change: int) -> None:
    update = e.UpdateChange(
        change=change, title="feat: better", add_labels=("b", "a"), remove_labels=("trace:trace-1", "z")
    )
    for _ in range(2):
        do(update)
    seen = stage.change(change)
    assert (seen["title"], seen["body"], seen["labels"], seen["state"]) == (
        "feat: better",
        "It books.",
        ["a", "b"],
        "open",
    )


def test_closing_and_reopening(stage: Stage, do: Do, change: int) -> None:
    do(e.UpdateChange(change=change, state="closed"))
    assert stage.change(change)["state"] == "closed"
    do(e.UpdateChange(change=change, state="open"), "trace-1.000009.0")
    assert stage.change(change)["state"] == "open"


def test_a_comment_is_written_once(stage: Stage, do: Do, change: int) -> None:
    said = e.PostComment(change=change, body="Approved by jane.")
    first = do(said)
    assert do(said) == first
    assert stage.comments(change) == [(stage.bot, "Approved by jane.")]
    assert do(said, "trace-1.000009.0") != first


def test_a_sticky_comment_is_edited_in_place(stage: Stage, do: Do, change: int) -> None:
    first = do(e.PostComment(change=change, body="waiting", sticky="status"))
    do(e.PostComment(change=change, body="something else"), "trace-1.000008.0")
    second = do(e.PostComment(change=change, body="approved", sticky="status"), "trace-1.000009.0")
    other = do(e.PostComment(change=change, body="other", sticky="other"), "trace-1.000010.0")
    assert second == first != other
    assert [body for _, body in stage.comments(change)] == ["approved", "something else", "other"]


def test_a_reaction_is_given_once(stage: Stage, do: Do, change: int) -> None:
    stage.person("jane", "write")
    comment = stage.comment("jane", change, "/help")
    for _ in range(2):
        do(e.React(change=change, comment_id=comment, reaction="eyes"))
    do(e.React(change=change, comment_id=comment, reaction="rocket"))
    assert stage.reactions(comment) == ["eyes", "rocket"]


def test_a_check_is_updated_by_name(stage: Stage, do: Do, head: str) -> None:
    first = do(e.SetCheck(revision=head, name="pointsman/release: production", title="waiting"))
    assert stage.checks(head) == {"pointsman/release: production": None}
    second = do(
        e.SetCheck(
            revision=head, name="pointsman/release: production", title="approved", conclusion="success"
        ),
        "trace-1.000009.0",
    )
    assert second == first
    assert stage.checks(head) == {"pointsman/release: production": "success"}


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merging_puts_the_tree_that_was_agreed_on_into_the_target(
    stage: Stage, do: Do, change: int, head: str, method: str
) -> None:
    main = stage.head("main")
    result = do(merging(change, head, method=method))
    assert isinstance(result, e.MergeResult)
    assert stage.head("main") == result.sha
    assert result.tree == result.head_tree
    assert stage.files(result.sha) == {"README.md": b"# Booking\n", "app.py": b"one\n"}
    assert stage.parents(result.sha) == ([main, head] if method == "merge" else [main])
    assert stage.change(change)["state"] == "merged"
    if method != "rebase":
        assert stage.message(result.sha) == (
            "feat: add booking (#1)\n\nTrace-Id: trace-1\nEffect-Id: trace-1.000007.0"
        )


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merging_onto_a_target_that_went_on(
    stage: Stage, do: Do, change: int, head: str, method: str
) -> None:
    other = do(
        e.CommitFiles(
            branch="other", base="main", files=(e.File(path="b.py", content="b\n"),), message="feat: b"
        ),
        "trace-2.000001.0",
    )
    assert isinstance(other, e.CommitResult)
    opened = do(OPEN.model_copy(update={"source": "other"}), "trace-2.000002.0")
    assert isinstance(opened, e.ChangeResult)
    do(merging(opened.number, other.sha), "trace-2.000003.0")
    result = do(merging(change, head, method=method))
    assert isinstance(result, e.MergeResult)
    assert result.tree != result.head_tree
    assert set(stage.files(result.sha)) == {"README.md", "app.py", "b.py"}


def test_merging_twice_is_once(stage: Stage, do: Do, change: int, head: str) -> None:
    first = do(merging(change, head))
    assert do(merging(change, head)) == first
    assert isinstance(first, e.MergeResult)
    assert stage.head("main") == first.sha


def test_a_head_that_moved_is_not_merged(stage: Stage, do: Do, change: int, head: str) -> None:
    stage.person("jane", "write")
    main, hers = stage.head("main"), stage.push("jane", "feature/booking", {"app.py": "hers\n"}, "fix: hers")
    with pytest.raises(Permanent) as refused:
        do(merging(change, head))
    assert refused.value.reason_code == "HeadMoved"
    assert stage.head("main") == main
    assert stage.change(change)["head"] == hers


def test_a_conflict_is_told_and_leaves_all_as_it_was(stage: Stage, do: Do, change: int, head: str) -> None:
    other = do(
        e.CommitFiles(
            branch="other", base="main", files=(e.File(path="app.py", content="theirs\n"),), message="feat: b"
        ),
        "trace-2.000001.0",
    )
    opened = do(OPEN.model_copy(update={"source": "other"}), "trace-2.000002.0")
    assert isinstance(other, e.CommitResult)
    assert isinstance(opened, e.ChangeResult)
    do(merging(opened.number, other.sha), "trace-2.000003.0")
    main = stage.head("main")
    for method in ("merge", "squash", "rebase"):
        with pytest.raises(Permanent) as refused:
            do(merging(change, head, method=method))
        assert refused.value.reason_code == "MergeConflict"
        assert "app.py" in refused.value.message
    assert stage.head("main") == main
    assert stage.change(change)["state"] == "open"


def test_a_deleted_branch_is_not_merged(stage: Stage, do: Do, change: int, head: str) -> None:
    stage.person("jane", "write")
    stage.delete_branch("jane", "feature/booking")
    main = stage.head("main")
    with pytest.raises(Permanent) as refused:
        do(merging(change, head))
    assert refused.value.reason_code == "BranchDeleted"
    assert stage.head("main") == main


def test_a_closed_change_is_not_merged(stage: Stage, do: Do, change: int, head: str) -> None:
    do(e.UpdateChange(change=change, state="closed"), "trace-1.000004.0")
    with pytest.raises(Permanent) as refused:
        do(merging(change, head))
    assert refused.value.reason_code == "ChangeClosed"


def test_a_required_check_is_waited_for_and_respected(stage: Stage, do: Do, change: int, head: str) -> None:
    stage.require_check("pointsman/pipeline")
    main = stage.head("main")
    with pytest.raises(Retryable):
        do(merging(change, head))
    do(
        e.SetCheck(revision=head, name="pointsman/pipeline", title="failed", conclusion="failure"),
        "trace-1.000004.0",
    )
    with pytest.raises(Permanent) as refused:
        do(merging(change, head))
    assert refused.value.reason_code == "RequiredCheckFailed"
    assert stage.head("main") == main
    do(
        e.SetCheck(revision=head, name="pointsman/pipeline", title="passed", conclusion="success"),
        "trace-1.000005.0",
    )
    do(merging(change, head))
    assert stage.change(change)["state"] == "merged"


def test_a_tag_is_made_once_and_never_moved(stage: Stage, do: Do, head: str) -> None:
    for _ in range(2):
        do(e.CreateTag(name="booking-1.0.0", revision=head, message="Booking 1.0.0"))
    assert stage.tags() == {"booking-1.0.0": head}
    main = stage.head("main")
    assert main is not None
    with pytest.raises(Permanent) as refused:
        do(e.CreateTag(name="booking-1.0.0", revision=main), "trace-1.000009.0")
    assert refused.value.reason_code == "TagExists"
    do(e.CreateTag(name="plain", revision=main), "trace-1.000010.0")
    assert stage.tags() == {"booking-1.0.0": head, "plain": main}


def test_a_deployment_is_recorded_once(stage: Stage, do: Do, head: str) -> None:
    for _ in range(2):
        do(e.RecordDeployment(environment="staging", revision=head, state="in_progress"))
    do(e.RecordDeployment(environment="staging", revision=head, state="success"), "trace-1.000009.0")
    assert stage.deployments() == [("staging", head, "in_progress"), ("staging", head, "success")]


def test_what_is_not_there_is_permanent(stage: Stage, do: Do, head: str) -> None:
    for effect in (
        e.PostComment(change=99, body="x"),
        e.UpdateChange(change=99, title="x"),
        merging(99, head),
        e.React(change=1, comment_id="99", reaction="eyes"),
        e.GatherFacts(correlation="c", change=99),
        e.SetCheck(revision="0" * 39 + "1", name="x", title="x"),
    ):
        with pytest.raises(Permanent) as refused:
            do(effect)
        assert refused.value.reason_code == "NotFound", effect


def test_a_change_that_leads_elsewhere_than_it_was_judged_for_is_not_merged(
    stage: Stage, do: Do, change: int, head: str
) -> None:
    judged = merging(change, head, target_branch="release")
    if stage.forge.name == "github":  # it takes no expected target; approvals end when it tells of another
        assert isinstance(do(judged, "trace-1.000009.0"), e.MergeResult)
        return
    with pytest.raises(Permanent) as refused:
        do(judged, "trace-1.000009.0")
    assert (refused.value.reason_code, refused.value.message) == (
        "TargetChanged",
        f"change {change} leads to main now; it was judged for release",
    )
    assert stage.change(change)["state"] != "merged"
