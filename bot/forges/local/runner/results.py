"""What a run gives back, and what it may use."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.domain.model import Model, Moment

MEBIBYTE = 1024 * 1024


class Limits(BaseModel):
    """What jobs may use, in seconds and bytes.

    `cpu_s`, `file_bytes`, `open_files` and `processes` hold per process, as rlimits do; `processes` counts
    all of the user's and is not enforced for root, by Linux.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parallel: int = 2
    job_s: float = 600
    run_s: float = 3600
    cpu_s: int = 600
    file_bytes: int = 512 * MEBIBYTE
    artefact_bytes: int = 256 * MEBIBYTE
    open_files: int = 1024
    processes: int = 4096
    log_bytes: int = 4 * MEBIBYTE


class CaseResult(Model):
    """One case of a JUnit report."""

    name: str
    classname: str
    status: Literal["passed", "failed", "error", "skipped"]


class JobResult(Model):
    """How one job ended. `coverage` in percent; `exit_code` is None when no script ended by itself.

    `failed` with `allow_failure` does not fail the run. `artefacts` is the folder of the files it handed on.
    """

    name: str
    stage: str
    status: Literal["success", "failed", "skipped", "canceled", "manual"]
    allow_failure: bool = False
    exit_code: int | None = None
    started_at: Moment | None = None
    finished_at: Moment | None = None
    duration_s: float = 0.0
    coverage: float | None = None
    log_path: Path | None = None
    artefacts: Path | None = None
    junit: tuple[CaseResult, ...] = ()
    failure_reason: str = ""


class RunResult(Model):
    """How a run ended: `jobs` in the order in which they ended, `coverage` the mean of what they measured.

    `artefacts` holds one folder per job (`JobResult.artefacts`), `reports` one with what it declares as its
    reports; both stay until the caller removes `workdir`.
    """

    status: Literal["success", "failed", "canceled"]
    reason: str = ""
    jobs: tuple[JobResult, ...]
    coverage: float | None = None
    artefacts: Path
    reports: Path
    junit: tuple[CaseResult, ...] = ()
