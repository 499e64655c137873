"""Folders of a run: the temporary clone, one checkout per job, logs, artefacts.

workdir/logs/01-build.log      workdir/artefacts/01-build/      kept for the caller
                               workdir/reports/01-build/        kept for the caller
workdir/tmp/source.git         workdir/tmp/01-build/project     removed at the end
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path


class WorkspaceError(Exception):
    """A folder could not be made as asked; the message is for the run's or the job's reason."""


class Workspace:
    """The folders of one run below `workdir`."""

    def __init__(self, workdir: Path, names: Iterable[str]) -> None:
        # Resolved, because the paths of collected files are compared with it.
        self._root = workdir.resolve()
        self._folders = {name: f"{index:02d}-{_slug(name)}" for index, name in enumerate(names, 1)}
        self.artefacts = self._root / "artefacts"
        self.reports = self._root / "reports"
        self._tmp = self._root / "tmp"
        for folder in (self.artefacts, self.reports, self._root / "logs", self._tmp):
            folder.mkdir(parents=True, exist_ok=True)

    def log_path(self, job: str) -> Path:
        """Where the job's log is written."""
        return self._root / "logs" / f"{self._folders[job]}.log"

    def artefacts_of(self, job: str) -> Path:
        """What the job hands on."""
        return self.artefacts / self._folders[job]

    def reports_of(self, job: str) -> Path:
        """The job's reports, which are not handed on."""
        return self.reports / self._folders[job]

    def clone(self, repository: Path, sha: str) -> None:
        """Copy the repository once. Raises WorkspaceError when it can not be read or has no such commit.

        Without hard links: a job that writes into its objects must not reach the forge's own.
        """
        _git("clone", "--quiet", "--bare", "--no-hardlinks", str(repository), str(self._tmp / "source.git"))
        _git("-C", str(self._tmp / "source.git"), "cat-file", "-e", f"{sha}^{{commit}}")

    def checkout(self, job: str, sha: str, files_from: Iterable[str]) -> Path:
        """A fresh project folder for the job, with the artefacts it gets. Raises WorkspaceError, OSError."""
        base = self._tmp / self._folders[job]
        shutil.rmtree(base, ignore_errors=True)
        for name in ("home", "tmp"):
            (base / name).mkdir(parents=True)
        shutil.rmtree(self.reports_of(job), ignore_errors=True)
        self.reports_of(job).mkdir()
        project = base / "project"
        _git("clone", "--quiet", "--no-checkout", "--shared", str(self._tmp / "source.git"), str(project))
        _git("-C", str(project), "checkout", "--quiet", "--detach", sha)
        for other in files_from:
            if self.artefacts_of(other).is_dir():
                shutil.copytree(self.artefacts_of(other), project, symlinks=True, dirs_exist_ok=True)
        return project

    def remove_temporary(self) -> None:
        """Remove all but logs, artefacts and reports."""
        shutil.rmtree(self._tmp, ignore_errors=True)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]


def _git(*arguments: str) -> None:
    """Run git without the configuration, hooks and prompts of whoever runs the bot."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise WorkspaceError(f"git could not read the repository: {said[-1]}")
