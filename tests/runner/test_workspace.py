"""Folders of a run: checkouts of the commit, and a repository that stays as it was."""

from pathlib import Path

import pytest

from bot.forges.local.runner.workspace import Workspace, WorkspaceError
from tests.runner.project import git, make


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "run", ["build", "unit test"])


def test_a_checkout_is_of_the_commit_and_gets_the_files_of_others(
    tmp_path: Path, workspace: Workspace
) -> None:
    project = make(tmp_path / "p", "a: {script: x}", {"file": "committed"})
    workspace.clone(project.folder / ".git", project.sha)
    workspace.artefacts_of("build").mkdir()
    (workspace.artefacts_of("build") / "file").write_text("built")
    assert (workspace.checkout("unit test", project.sha, []) / "file").read_text() == "committed"
    assert (workspace.checkout("unit test", project.sha, ["build"]) / "file").read_text() == "built"


def test_a_commit_on_no_branch_is_found(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path / "p", "a: {script: x}")
    git(project.folder, "checkout", "--quiet", "--detach")
    git(project.folder, "commit", "--quiet", "--allow-empty", "--message=loose")
    loose = git(project.folder, "rev-parse", "HEAD")
    git(project.folder, "checkout", "--quiet", "main")
    workspace.clone(project.folder / ".git", loose)
    checkout = workspace.checkout("build", loose, [])
    assert git(checkout, "rev-parse", "HEAD") == loose


def test_a_job_can_not_write_into_the_objects_of_the_forge(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path / "p", "a: {script: x}")
    workspace.clone(project.folder / ".git", project.sha)
    checkout = workspace.checkout("build", project.sha, [])
    forge = {
        path.stat().st_ino for path in (project.folder / ".git" / "objects").rglob("*") if path.is_file()
    }
    copies = [path for path in (tmp_path / "run").rglob("objects/**/*") if path.is_file()]
    assert copies
    assert not forge & {path.stat().st_ino for path in copies}
    assert git(checkout, "remote", "get-url", "origin").startswith(str(tmp_path / "run"))


def test_hooks_of_the_repository_do_not_run(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path / "p", "a: {script: x}")
    hook = project.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    workspace.clone(project.folder / ".git", project.sha)
    workspace.checkout("build", project.sha, [])
    assert not (tmp_path / "hooked").exists()


@pytest.mark.parametrize("sha", ["0" * 40, "main~9", "--help"])
def test_what_is_no_commit_is_an_error(sha: str, tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path / "p", "a: {script: x}")
    with pytest.raises(WorkspaceError, match="git could not read the repository"):
        workspace.clone(project.folder / ".git", sha)
