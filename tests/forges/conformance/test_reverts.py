"""A commit is taken back by a new one: exactly what it did, or nothing."""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.forges.capabilities import Feature
from tests.forges.conformance.ability import cannot, refused
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage

WORK, BACK = "feature/booking", "revert/booking"
BYTES = e.File(path="logo.png", content="iVBORwD/", encoding="base64")


def commit(do: Do, number: int, *files: e.File, branch: str = WORK) -> str:
    made = do(
        e.CommitFiles(branch=branch, base="main", files=files, message=f"feat: step {number}"),
        f"trace-1.{number:06}.0",
    )
    assert isinstance(made, e.CommitResult)
    return made.sha


def reverting(revision: str, branch: str = WORK) -> e.RevertCommit:
    return e.RevertCommit(
        revision=revision,
        branch=branch,
        base="main",
        message="revert: step 2\n\nIt never became ready.",
        trailers={"Trace-Id": "trace-1"},
    )


@pytest.fixture
def second(do: Do) -> str:
    """A commit that adds, changes and deletes, on top of one that is to stay."""
    script = e.File(path="run.sh", content="#!/bin/sh\n", executable=True)
    commit(
        do, 1, e.File(path="app.py", content="one\n"), e.File(path="old.py", content="old\n"), BYTES, script
    )
    return commit(
        do,
        2,
        e.File(path="app.py", content="two\n"),
        e.File(path="old.py", delete=True),
        e.File(path="logo.png", delete=True),
        e.File(path="run.sh", delete=True),
        e.File(path="new/b.py", content="b\n"),
    )


def test_what_a_commit_did_is_taken_back(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    before = stage.parents(second)[0]

    result = do(reverting(second))

    assert isinstance(result, e.CommitResult)
    assert (result.branch, result.parent) == (WORK, second)
    assert stage.head(WORK) == result.sha
    assert stage.parents(result.sha) == [second]
    assert stage.files(result.sha) == stage.files(before)
    assert stage.executables(result.sha) == stage.executables(before)
    assert sorted(result.files) == ["app.py", "logo.png", "new/b.py", "old.py", "run.sh"]


def test_the_commit_says_what_it_is(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    result = do(reverting(second))
    assert isinstance(result, e.CommitResult)
    said = stage.message(result.sha)
    assert said.startswith("revert: step 2\n\nIt never became ready.\n\n")
    assert {"Trace-Id: trace-1", "Effect-Id: trace-1.000007.0"} <= set(said.splitlines())


def test_what_came_after_it_in_other_files_stays(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    third = commit(do, 3, e.File(path="later.py", content="later\n"))
    result = do(reverting(second))
    assert isinstance(result, e.CommitResult)
    assert stage.parents(result.sha) == [third]
    files = stage.files(result.sha)
    assert (files["later.py"], files["app.py"]) == (b"later\n", b"one\n")
    assert "new/b.py" not in files


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(e.File(path="app.py", content="three\n"), id="changed"),
        pytest.param(e.File(path="app.py", delete=True), id="deleted"),
        pytest.param(e.File(path="old.py", content="new again\n"), id="made again"),
        pytest.param(e.File(path="new/b.py", content="other\n"), id="added and changed"),
    ],
)
def test_a_file_that_is_no_longer_as_it_left_it_is_not_touched(
    stage: Stage, do: Do, second: str, later: e.File
) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    third = commit(do, 3, later)
    assert refused(do, reverting(second)) == "RevertConflict"
    assert stage.head(WORK) == third


def test_taking_back_twice_is_once(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    first = do(reverting(second))
    assert isinstance(first, e.CommitResult)
    later = commit(do, 9, e.File(path="later.py", content="later\n"))
    assert do(reverting(second)) == first
    assert stage.head(WORK) == later


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_merge_is_taken_back_on_a_branch_of_its_own(stage: Stage, do: Do, second: str, method: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    opened = do(
        e.OpenChange(source=WORK, target_branch="main", title="feat: booking", body=""), "trace-1.000003.0"
    )
    assert isinstance(opened, e.ChangeResult)
    merging = e.MergeChange.model_validate(
        {"change": opened.number, "expected_head": second, "method": method, "message": "feat: booking (#1)"}
    )
    merged = do(merging, "trace-1.000004.0")
    assert isinstance(merged, e.MergeResult)
    assert set(stage.files(merged.sha)) == {"README.md", "app.py", "new/b.py"}

    result = do(reverting(merged.sha, BACK))

    assert isinstance(result, e.CommitResult)
    assert stage.head("main") == merged.sha
    assert stage.head(BACK) == result.sha
    assert stage.parents(result.sha) == [merged.sha]
    assert set(stage.files(result.sha)) == {"README.md"}


def test_a_revision_that_is_not_there(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    assert refused(do, reverting("0" * 39 + "1", BACK)) == "RevisionMissing"
    assert stage.head(BACK) is None


def test_a_conflict_makes_no_branch(stage: Stage, do: Do, second: str) -> None:
    if cannot(stage, do, Feature.REVERT, reverting(second)):
        return
    # Main never had what the commit did.
    assert refused(do, reverting(second, BACK)) == "RevertConflict"
    assert stage.head(BACK) is None
