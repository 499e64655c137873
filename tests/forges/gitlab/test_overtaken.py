"""Somebody acts between our look and our act: theirs stays, and ours is done once beside it, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.errors import Permanent
from bot.forges.local.git import ZERO
from tests.forges.gitlab.cases import EFFECTS, seen
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake.git import Repo
from tests.forges.gitlab.fake.state import Project


def by_somebody(branch: str, path: str = "app.py") -> Callable[[Desk], object]:
    """A person pushes, quicker than the bot."""
    return lambda desk: desk.stage.push("jane", branch, {path: "hers\n"}, "fix: hers")


def released_elsewhere(desk: Desk) -> None:
    desk.world.project.repo.move("refs/tags/v1.0.0", str(desk.stage.head("main")), ZERO)


def set_by_somebody(desk: Desk) -> None:
    hers = {"key": "URL", "value": "http://hers.test", "environment_scope": "staging", "raw": True}
    desk.world.project.variables.append(hers)


def opened_by_somebody(desk: Desk) -> None:
    about = {"source_branch": "feature/x", "target_branch": "main", "title": "hers"}
    desk.world.deeds.open(desk.world.project, desk.world.owner, about)


def made_by_somebody(desk: Desk) -> None:
    state = desk.world.state
    state.projects["acme/platform/fresh"] = Project(
        9, "acme/platform/fresh", Repo.made(state.folder / "9.git")
    )


OVERTAKEN: dict[str, tuple[str, int, Callable[[Desk], object], str]] = {
    "a new branch is there by now": ("CommitFiles", 0, by_somebody("feature/x"), ""),
    "a file has changed": ("CommitFiles again", 0, by_somebody("feature/x"), "HeadMoved"),
    "another file has changed": ("CommitFiles again", 0, by_somebody("feature/x", "b.py"), ""),
    "the change is opened": ("OpenChange", 0, opened_by_somebody, ""),
    "the head of what is merged": ("MergeChange", 0, by_somebody("feature/x"), "HeadMoved"),
    "the head of what is rebased to be merged": ("MergeChange behind", 0, by_somebody("feature/x", "b.py"), "HeadMoved"),
    "the head of what was rebased to be merged": ("MergeChange behind", 1, by_somebody("feature/x", "b.py"), "HeadMoved"),
    "the target of a fast-forward": ("MergeChange behind", 1, by_somebody("main", "b.py"), ""),
    "the head of what is brought up to date": ("UpdateBranch", 0, by_somebody("feature/x", "b.py"), "HeadMoved"),
    "the head of what runs": ("RunPipeline", 0, by_somebody("feature/x", "b.py"), "HeadMoved"),
    "the tag": ("CreateTag", 0, released_elsewhere, "TagExists"),
    "the tag of a release": ("PublishRelease", 0, released_elsewhere, "TagTaken"),
    "a file that is taken back": ("RevertCommit", 0, by_somebody("feature/x"), "RevertConflict"),
    "a file beside it": ("RevertCommit", 0, by_somebody("feature/x", "b.py"), ""),
    "a variable": ("PrepareEnvironment", 1, set_by_somebody, ""),
    "the project": ("CreateRepository", 0, made_by_somebody, "RepositoryTaken"),
}  # fmt: skip


@pytest.mark.parametrize("moved", OVERTAKEN)
def test_who_is_quicker_than_the_bot_loses_nothing_to_it(desk: Desk, moved: str) -> None:
    name, number, first, code = OVERTAKEN[moved]
    desk.world.person("jane", "write")
    effect = EFFECTS[name].at(desk)
    theirs: dict[str, Any] = {}

    def act() -> None:
        first(desk)
        theirs.update(seen(desk))

    quick = desk.fault("WRITE", ".", kind="overtaken", skip=number, first=act)
    if code:
        with pytest.raises(Permanent) as refused:
            desk.insist(effect)
        assert refused.value.reason_code == code
    else:
        desk.insist(effect)
        done = seen(desk)
        assert done != theirs or name == "OpenChange", "an open change is taken for what was wanted"
        desk.insist(effect)
        assert seen(desk) == done, "done again it is done"
    assert quick.times == 0
    _nothing_lost(desk, theirs, refused=bool(code))


def _nothing_lost(desk: Desk, theirs: dict[str, Any], *, refused: bool) -> None:
    now = seen(desk)
    for branch, subjects in theirs["branches"].items():
        assert set(subjects) <= set(now["branches"][branch])
    written = {branch: files.get("app.py") for branch, files in theirs["files"].items()}
    hers = {branch for branch, content in written.items() if content == b"hers\n"}
    assert not refused or all(now["files"][branch]["app.py"] == b"hers\n" for branch in hers)
    if refused:
        kept = ("changes", "tags", "releases", "projects")
        states = [one[2] for one in now["changes"]]
        assert "merged" not in states
        assert {part: now[part] for part in kept if part != "changes"} == {
            part: theirs[part] for part in kept if part != "changes"
        }
