"""A commit that must begin its branch: two who looked at the same time do not both get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from tests.forges.world import REPOSITORY, World, git

BRANCH = "feature/booking/sprint-3"


def beginning(content: str) -> e.CommitFiles:
    return e.CommitFiles(
        target="local",
        repository=REPOSITORY,
        branch=BRANCH,
        base="main",
        files=(e.File(path="app.py", content=content),),
        message="feat: add",
        fresh=True,
    )


def test_a_branch_is_begun_by_one_and_the_other_is_told(world: World, tmp_path: Path) -> None:
    bare = world.repository()
    first = world.perform(beginning("one\n"), "trace-1.000002.0")
    assert isinstance(first, e.CommitResult)

    with pytest.raises(Permanent) as refused:
        world.perform(beginning("two\n"), "trace-2.000002.0")

    assert (refused.value.reason_code, refused.value.message) == (
        "BranchTaken",
        f"{BRANCH} is there already, made by somebody else",
    )
    assert git("rev-parse", BRANCH, cwd=bare).stdout.strip() == first.sha
    assert world.perform(beginning("one\n"), "trace-1.000002.0") == first  # its own reply was only lost
