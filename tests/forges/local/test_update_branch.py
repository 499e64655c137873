"""How the embedded forge brings a branch up to date: one signed merge commit with its trailers, as the bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.local import signing
from bot.forges.local.protection import Rule
from tests.forges.world import REPOSITORY, World, commit_all, git

HERE = f"/repositories/{REPOSITORY}"


def clone(world: World, folder: Path) -> Path:
    there = folder / "clone"
    git("clone", "--quiet", world.clone_url("jane"), str(there), cwd=folder)
    return there


def behind(world: World, folder: Path, *rules: Rule) -> tuple[Path, str, str]:
    """jane's change 1 from `fix`, and a main that went on: bare repository, head, main."""
    bare = world.repository(protection=rules)
    world.person("jane", "write")
    there = clone(world, folder)
    git("switch", "--quiet", "-c", "fix", cwd=there)
    head = commit_all(there, {"a.txt": "a\n"}, "fix: a")
    git("push", "--quiet", "origin", "fix", cwd=there)
    with world.api("jane") as api:
        assert api.post(f"{HERE}/changes", json={"source": "fix", "title": "fix: a"}).is_success
    git("switch", "--quiet", "main", cwd=there)
    main = commit_all(there, {"b.txt": "b\n"}, "feat: b")
    git("push", "--quiet", "origin", "main", cwd=there)
    return bare, head, main


def update(head: str) -> e.UpdateBranch:
    return e.UpdateBranch(
        target="local", repository=REPOSITORY, change=1, expected_head=head, trailers={"Trace-Id": "trace-1"}
    )


def test_the_merge_commit_is_the_bot_s_and_says_where_it_comes_from(world: World, tmp_path: Path) -> None:
    bare, head, main = behind(world, tmp_path)

    done = world.perform(update(head), "trace-1.000005.0")

    assert isinstance(done, e.UpdateResult)
    shown = git("show", "-s", "--format=%P%n%an%n%B", done.head, cwd=bare).stdout.strip().split("\n")
    assert shown == [
        f"{head} {main}", "pointsman[bot]", "Merge branch 'main' into fix", "",
        "Trace-Id: trace-1", "Effect-Id: trace-1.000005.0",
    ]  # fmt: skip
    assert signing.is_ours(bare, done.head, world.home)
    world.until(lambda: ("ChangeUpdated", "pointsman[bot]") in world.heard())


def test_a_mark_that_somebody_else_wrote_is_no_proof_that_it_was_done(world: World, tmp_path: Path) -> None:
    _bare, head, main = behind(world, tmp_path)
    there = tmp_path / "clone"
    git("switch", "--quiet", "fix", cwd=there)
    said = "Merge branch 'main' into fix\n\nEffect-Id: trace-1.000005.0"
    bot = {f"GIT_{role}_EMAIL": "bot@pointsman.invalid" for role in ("AUTHOR", "COMMITTER")}
    git("merge", "--quiet", "--no-ff", "-m", said, main, cwd=there, **bot)
    git("push", "--quiet", "origin", "fix", cwd=there)

    with pytest.raises(Permanent) as refused:
        world.perform(update(head), "trace-1.000005.0")
    assert refused.value.reason_code == "HeadMoved"


def test_a_branch_that_only_changes_may_touch_is_not_pushed_to(world: World, tmp_path: Path) -> None:
    bare, head, _main = behind(world, tmp_path, Rule(branch="f*", push=("jane",)))
    with pytest.raises(Permanent) as refused:
        world.perform(update(head))
    assert (refused.value.reason_code, refused.value.message) == (
        "ProtectedBranch",
        f"fix of {REPOSITORY} is protected: a change is needed",
    )
    assert git("rev-parse", "fix", cwd=bare).stdout.strip() == head


def test_the_files_that_conflict_are_named(world: World, tmp_path: Path) -> None:
    _bare, head, _main = behind(world, tmp_path)
    there = tmp_path / "clone"
    commit_all(there, {"a.txt": "other\n"}, "feat: other a")
    git("push", "--quiet", "origin", "main", cwd=there)
    with pytest.raises(Permanent) as refused:
        world.perform(update(head))
    assert (refused.value.reason_code, refused.value.message) == (
        "MergeConflict",
        "change 1 conflicts with main in a.txt",
    )


def test_a_merge_that_must_be_up_to_date_is_refused_while_the_branch_is_behind(
    world: World, tmp_path: Path
) -> None:
    bare, head, main = behind(world, tmp_path)
    merge = e.MergeChange(
        target="local", repository=REPOSITORY, change=1, expected_head=head, message="fix: a", up_to_date=True
    )

    with pytest.raises(Permanent) as refused:
        world.perform(merge, "trace-1.000006.0")
    assert (refused.value.reason_code, refused.value.message) == ("BranchBehind", "fix is behind main")
    assert git("rev-parse", "main", cwd=bare).stdout.strip() == main

    updated = world.perform(update(head), "trace-1.000007.0")
    assert isinstance(updated, e.UpdateResult)
    merged = world.perform(merge.model_copy(update={"expected_head": updated.head}), "trace-1.000008.0")
    assert isinstance(merged, e.MergeResult)
    assert merged.tree == merged.head_tree
