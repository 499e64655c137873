"""One try at a job: its environment, its scripts, the files it leaves."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.forges.local.runner import artefacts, process
from bot.forges.local.runner.log import Log
from bot.forges.local.runner.plan import PlannedJob
from bot.forges.local.runner.process import Ended
from bot.forges.local.runner.results import Limits
from bot.forges.local.runner.variables import commit, expand, expand_text
from bot.forges.local.runner.workspace import Workspace

# GitLab's own limit for `after_script`.
AFTER_SCRIPT_S = 300


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all jobs of a run share. `stopped` gives the reason to stop now, or an empty text."""

    workspace: Workspace
    sha: str
    secrets: tuple[str, ...]
    limits: Limits
    clock: Callable[[], datetime]
    stopped: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A checkout in which the job's scripts run; `variables` are all that they see."""

    planned: PlannedJob
    around: Surroundings
    log: Log
    project: Path
    variables: Mapping[str, str]

    def run(self) -> tuple[Ended, str]:
        """Run the scripts and keep the files; the text is the failure, empty when there is none.

        Raises OSError and WorkspaceError for faults of the machine.
        """
        job = self.planned.job
        ended = self._shell(
            [*job.before_script, *job.script], "script", job.timeout or self.around.limits.job_s
        )
        failure = _failure(ended)
        if failure:
            self.log.say(f"job failed: {failure}")
        if job.after_script and not ended.stopped:
            outcome = {"CI_JOB_STATUS": "failed" if failure else "success"}
            self._shell(job.after_script, "after_script", AFTER_SCRIPT_S, outcome)
        self._keep_files(failed=bool(failure))
        return ended, failure

    def _shell(
        self, commands: Sequence[str], name: str, limit: float, more: Mapping[str, str] | None = None
    ) -> Ended:
        bash = shutil.which("bash")
        script = self.project.parent / f"{name}.sh"
        script.write_text(shell_script(commands, bash=bash is not None), encoding="utf-8")
        shell = [bash, "--noprofile", "--norc"] if bash else [shutil.which("sh") or "/bin/sh"]
        deadline = time.monotonic() + limit

        def stop() -> str:
            return self.around.stopped() or (
                f"longer than {limit:g} s" if time.monotonic() > deadline else ""
            )

        return process.run(
            [*shell, str(script)],
            process.Place(self.project, {**self.variables, **(more or {})}, self.log),
            limits=self.around.limits,
            stop=stop,
        )

    def _keep_files(self, *, failed: bool) -> None:
        artifacts, workspace = self.planned.job.artifacts, self.around.workspace
        if artifacts is None:
            return
        if artifacts.when == "always" or (artifacts.when == "on_failure") is failed:
            self._collect(artifacts.paths, workspace.artefacts_of(self.planned.name))
        # Reports are kept whatever the outcome: https://docs.gitlab.com/ci/yaml/#artifactsreports
        self._collect(artifacts.reports.paths, workspace.reports_of(self.planned.name))

    def _collect(self, patterns: Sequence[str], target: Path) -> None:
        wanted = [expand_text(pattern, self.variables) for pattern in patterns]
        limit = self.around.limits.artefact_bytes
        missing, outside = artefacts.collect(self.project, wanted, target, limit)
        for pattern in missing:
            self.log.say(f"WARNING: {pattern}: no matching files")
        for path in outside:
            self.log.say(f"WARNING: {path}: left out, it leads out of the project")


def begin(planned: PlannedJob, around: Surroundings, log: Log) -> Attempt:
    """Make a fresh checkout. Raises OSError, WorkspaceError, and PipelineError for variables in a circle."""
    project = around.workspace.checkout(planned.name, around.sha, planned.files_from)
    return Attempt(planned, around, log, project, environment(planned, around.sha, project))


def environment(planned: PlannedJob, sha: str, project: Path) -> dict[str, str]:
    """All a job sees: nothing of the bot's own environment but PATH. Raises PipelineError for a circle."""
    own = {"CI_JOB_NAME": planned.name, "CI_JOB_STAGE": planned.job.stage, "CI_PROJECT_DIR": str(project)}
    return {
        # `python3` of a job is the Python that runs the bot: the one interpreter that is certain to exist.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(project.parent / "home"),
        "TMPDIR": str(project.parent / "tmp"),
        "LANG": "C.UTF-8",
        **expand(planned.variables | commit(sha) | own),
    }


def shell_script(commands: Sequence[str], *, bash: bool) -> str:
    """One script that shows every command before it runs and ends with the first that fails.

    A command of several lines shows its first, as GitLab does.
    """
    lines = ["set -eo pipefail" if bash else "set -e"]
    for command in commands:
        first, _, rest = command.strip().partition("\n")
        shown = f"$ {first}{' # and more lines' if rest else ''}"
        lines += [f"printf '%s\\n' {shlex.quote(shown)}", command]
    return "\n".join(lines) + "\n"


def _failure(ended: Ended) -> str:
    if ended.stopped:
        return ended.stopped
    return f"exit code {ended.exit_code}" if ended.exit_code else ""
