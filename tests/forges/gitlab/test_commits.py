"""Commits that others are quicker than, and marks that anybody can write."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Retryable
from bot.forges.gitlab.objects import blob_id, tree_id
from bot.forges.local.git import ZERO
from tests.forges.gitlab.conftest import EFFECT_ID, Desk, refusal
from tests.forges.gitlab.fake.git import Person
from tests.forges.gitlab.fake.world import BOT_LOGIN, REPOSITORY


def test_a_file_that_somebody_changes_at_the_same_moment_is_not_overwritten(
    desk: Desk, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our commit: GitLab refuses, the next attempt sees it."""
    from bot.forges.gitlab import commit_files

    real = commit_files.commit

    def overtaken(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(commit_files, "commit", real)
        desk.world.person("jane", "write")
        desk.stage.push("jane", "feature/x", {"app.py": "hers\n"}, "fix: hers")
        return real(*arguments, **more)

    monkeypatch.setattr(commit_files, "commit", overtaken)
    effect = e.CommitFiles(
        branch="feature/x",
        base="main",
        files=(e.File(path="app.py", content="two\n"),),
        message="fix: x",
        expected_head=head,
    )
    with pytest.raises(Retryable, match=r"^feature/x moved while it was being committed to$"):
        desk.do(effect)
    assert refusal(desk, effect)[0] == "HeadMoved"
    assert desk.stage.files(str(desk.stage.head("feature/x")))["app.py"] == b"hers\n"


def test_a_new_branch_that_somebody_makes_at_the_same_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.forges.gitlab import commit_files

    real = commit_files.commit

    def overtaken(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(commit_files, "commit", real)
        desk.world.person("jane", "write")
        desk.stage.push("jane", "feature/x", {"hers.py": "hers\n"}, "feat: hers")
        return real(*arguments, **more)

    monkeypatch.setattr(commit_files, "commit", overtaken)
    effect = e.CommitFiles(
        branch="feature/x",
        base="main",
        files=(e.File(path="app.py", content="1\n"),),
        message="feat: x",
        fresh=True,
    )
    with pytest.raises(Retryable):
        desk.do(effect)
    assert refusal(desk, effect) == ("BranchTaken", "feature/x is there already, made by somebody else")


def forged(desk: Desk, pusher: str) -> str:
    """A commit that says it is the effect's, by the bot's own address; `pusher` pushes it."""
    repo, world = desk.world.project.repo, desk.world
    main = str(repo.head("main"))
    us = Person("Release-Bot", world.bot.commit_email)
    sha = repo.write(repo.tree(main), [main], f"feat: x\n\nEffect-Id: {EFFECT_ID}", us)
    with world.state.lock:
        world.deeds.move(world.project, world.state.make_user(pusher), "feature/x", sha, before=ZERO)
    return sha


FILES = e.CommitFiles(
    branch="feature/x", base="main", files=(e.File(path="app.py", content="one\n"),), message="feat: x"
)


def test_a_forged_mark_is_believed_of_the_bot_alone(desk: Desk) -> None:
    sha = forged(desk, "mallory")
    done = desk.do(FILES)
    assert (done.parent, done.files) == (sha, ("app.py",))


def test_a_mark_that_nobody_has_pushed_yet_is_waited_for(desk: Desk) -> None:
    sha = forged(desk, BOT_LOGIN)
    told = desk.world.project.events.pop()
    with pytest.raises(
        Retryable, match=rf"^GitLab has not told yet who pushed {sha[:12]}, which carries our mark$"
    ):
        desk.do(FILES)
    desk.world.project.events.append(told)
    assert desk.do(FILES).sha == sha


def test_the_bit_of_a_file_may_change_alone(desk: Desk) -> None:
    desk.commit("run", "#!\n")
    again = e.CommitFiles(
        branch="feature/x",
        base="main",
        files=(e.File(path="run", content="#!\n", executable=True),),
        message="fix: x",
    )
    done = desk.do(again)
    assert (desk.stage.executables(done.sha), done.files) == ({"run"}, ("run",))
    off = again.model_copy(update={"files": (e.File(path="run", content="#!!\n"),)})
    assert desk.stage.executables(desk.do(off, "trace-1.000009.0").sha) == set()


def test_a_folder_may_become_a_file_when_it_is_emptied(desk: Desk) -> None:
    desk.commit("a/b.py")
    files = (e.File(path="a/b.py", delete=True), e.File(path="a", content="x\n"))
    done = desk.do(e.CommitFiles(branch="feature/x", base="main", files=files, message="fix: x"))
    assert desk.stage.files(done.sha).keys() == {"README.md", "a"}


def test_what_gitlab_does_not_take_is_passed_on(desk: Desk) -> None:
    desk.fault(
        "POST",
        "/commits$",
        status=400,
        body={"message": "Commit message does not follow the pattern '^JIRA-'"},
    )
    code, message = refusal(desk, FILES)
    assert (code, message) == (
        "CommitRefused",
        "GitLab does not take the commit: Commit message does not follow the pattern '^JIRA-'",
    )


def test_a_rule_for_names_protects_a_branch_that_is_not_there_yet(desk: Desk) -> None:
    desk.world.project.protected["feature/x"] = (0, 30)
    assert refusal(desk, FILES) == (
        "ProtectedBranch",
        f"feature/x of {REPOSITORY} is protected: a change is needed",
    )


def test_trees_are_named_as_git_names_them(desk: Desk) -> None:
    desk.commit("b/deep/file.txt")
    desk.commit("b.txt", "x\n", effect_id="t.2.0")
    desk.commit("b-1", "y\n", effect_id="t.3.0")
    head = str(desk.stage.head("feature/x"))
    repo = desk.world.project.repo
    assert tree_id(repo.entries(head) or []) == repo.tree(head)
    assert blob_id(b"x\n") == repo.file(head, "b.txt")[0]  # type: ignore[index]
