"""A real repository with one pipeline file, run by our runner or by gitlab-ci-local."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.forges.local import history, runner
from bot.forges.local.differences import Differences
from bot.forges.local.runner import JobResult, Limits, Plan, RunContext, RunResult
from tests.support.node import node

STAND_IN = Path(__file__).with_name("rsync_stand_in.py")
# The end of its report: ` WARN  name   pre_script`; the same words inside the report are warnings of other
# kinds.
SUMMARY = re.compile(
    r"^ (PASS|WARN|FAIL)  (\S+)[ ]*(?:pre_script|after_script|[\d.]+% coverage)?[ ]*$", re.MULTILINE
)
IDENTITY = {
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.org",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.org",
}


def ticking() -> Callable[[], datetime]:
    """A clock that moves one second each time it is read."""
    moments = iter(range(10_000))
    return lambda: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=next(moments))


@dataclass(frozen=True)
class Project:
    """`folder` holds the work tree; its `.git` is what the runner clones. `base` is where `main` is, when
    `sha` is on a branch of its own.
    """

    folder: Path
    sha: str
    text: str
    message: str
    base: str = ""

    def run(
        self,
        context: RunContext | None = None,
        *,
        limits: Limits | None = None,
        on_job: Callable[[JobResult], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> RunResult:
        context = (context or RunContext(branch="main")).model_copy(update={"message": self.message})
        planned = self.planned(context)
        return runner.execute(
            planned,
            repository=self.folder / ".git",
            sha=self.sha,
            workdir=self.folder.parent / "run",
            on_job=on_job,
            cancelled=cancelled,
            clock=ticking(),
            limits=limits or Limits(),
        )

    def planned(self, context: RunContext) -> Plan:
        tree = history.Tree(self.folder / ".git", self.sha)
        target = "main" if context.change else None
        differences = Differences(self.folder / ".git", self.sha, before=self.base or None, target=target)
        return runner.plan(runner.parse(self.text, tree), context, differences)

    def grown(self, branch: str, files: dict[str, str], message: str = "more") -> "Project":
        """One more commit, on a branch that begins at `main`."""
        git(self.folder, "checkout", "--quiet", "-b", branch, "main")
        commit(self.folder, files, message)
        text = (self.folder / ".gitlab-ci.yml").read_text()
        return Project(self.folder, git(self.folder, "rev-parse", "HEAD"), text, message, base=self.sha)


def make(folder: Path, text: str, files: dict[str, str] | None = None, message: str = "pipeline") -> Project:
    """Commit the pipeline file, and others, on `main`."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {".gitlab-ci.yml": text, **(files or {})}, message)
    return Project(folder, git(folder, "rev-parse", "HEAD"), text, message)


def commit(folder: Path, files: dict[str, str], message: str) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", f"--message={message}")


def git(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **IDENTITY}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass
class Seen:
    """What a run did, in words both runners have.

    PASS, WARN (failed, allowed) and FAIL by job; jobs not run are absent.
    """

    failed: bool
    outcome: dict[str, str]
    order: list[str]
    notes: dict[str, str]
    text: str = field(repr=False)


def ours(project: Project, context: RunContext, marks: Path) -> Seen:
    """Run by our runner; jobs write their names to $MARKS/order and what they saw to $MARKS/<job>.txt."""
    marks.mkdir()
    result = project.run(context.model_copy(update={"variables": {**context.variables, "MARKS": str(marks)}}))
    words = {job.name: _word(job) for job in result.jobs if job.status in ("success", "failed")}
    return Seen(result.status != "success", words, *_marked(marks), text=result.model_dump_json(indent=1))


def theirs(project: Project, context: RunContext, marks: Path) -> Seen:
    """Run by gitlab-ci-local in a clean environment."""
    marks.mkdir()
    home = marks.parent / "home"
    (home / "bin").mkdir(parents=True)
    rsync = home / "bin" / "rsync"
    rsync.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{STAND_IN}" "$@"\n')
    rsync.chmod(0o755)
    # Its own commit message is a made up one.
    variables = {**context.variables, "MARKS": str(marks), "CI_COMMIT_MESSAGE": project.message}
    if context.source != "push":
        variables["CI_PIPELINE_SOURCE"] = context.source
    if context.tag:
        variables["CI_COMMIT_TAG"] = context.tag
    if context.change:
        variables["CI_MERGE_REQUEST_IID"] = str(context.change)
    without = ["--unset-variable", "CI_COMMIT_BRANCH"] if context.tag or context.change else []
    if context.branch and context.branch != "main" and not project.base:
        git(project.folder, "checkout", "--quiet", "-B", context.branch)
    git(project.folder, "remote", "add", "origin", "https://forge.example.org/acme/project.git")
    if project.base:
        git(project.folder, "update-ref", "refs/remotes/origin/main", project.base)
        git(project.folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    done = node(
        "gitlab-ci-local",
        *("--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", "--home", home),
        *(part for name, value in variables.items() for part in ("--variable", f"{name}={value}")),
        *without,
        cwd=project.folder,
        env={"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"},
    )
    outcome = {name: word for word, name in SUMMARY.findall(done.stdout)}
    return Seen(done.returncode != 0, outcome, *_marked(marks), text=done.stdout + done.stderr)


def _word(job: JobResult) -> str:
    return "PASS" if job.status == "success" else "WARN" if job.allow_failure else "FAIL"


def _marked(marks: Path) -> tuple[list[str], dict[str, str]]:
    order = marks / "order"
    notes = {path.stem: path.read_text() for path in sorted(marks.glob("*.txt"))}
    return (order.read_text().split() if order.exists() else []), notes
