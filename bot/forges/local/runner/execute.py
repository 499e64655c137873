"""Run a plan for real: a temporary clone, jobs as processes, as many at a time as the limits say.

No security boundary: a job can do what the user who runs the bot can do (see the package's own text).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from typing import Literal

from bot.forges.local.runner import readiness
from bot.forges.local.runner.attempt import Surroundings
from bot.forges.local.runner.job import CANCELED, run_job
from bot.forges.local.runner.plan import Plan, PlannedJob
from bot.forges.local.runner.results import JobResult, Limits, RunResult
from bot.forges.local.runner.workspace import Workspace, WorkspaceError

Clock = Callable[[], datetime]
DEFAULT_LIMITS = Limits()


def execute(  # noqa: PLR0913 - one call of keywords, agreed with the forge
    plan: Plan,
    *,
    repository: Path,
    sha: str,
    workdir: Path,
    on_job: Callable[[JobResult], None] | None,
    cancelled: threading.Event | None,
    clock: Clock,
    limits: Limits = DEFAULT_LIMITS,
) -> RunResult:
    """Run every job of `plan` on commit `sha` of the bare repository; blocks until all have ended.

    `on_job` is called in this thread as each job ends, also for jobs that did not run. `clock` gives aware
    times. Logs and artefacts stay in `workdir`, which the caller removes. Setting `cancelled` kills running
    jobs within seconds. A repository that can not be read gives a failed result; only what `on_job` raises
    comes out of here, after the jobs are killed.
    """
    workspace = Workspace(workdir, [planned.name for planned in plan.jobs])
    if not plan.jobs:
        return _nothing_ran("canceled", plan.reason, workspace)
    abandoned = threading.Event()
    deadline = time.monotonic() + limits.run_s

    def stopped() -> str:
        if abandoned.is_set() or (cancelled is not None and cancelled.is_set()):
            return CANCELED
        return f"the run took longer than {limits.run_s:g} s" if time.monotonic() > deadline else ""

    secrets = tuple(secret.get_secret_value() for secret in plan.context.masked)
    around = Surroundings(workspace, sha, secrets, limits, clock, stopped)
    try:
        workspace.clone(repository, sha)
        return _summary(_run_all(plan, around, on_job or _nobody, abandoned), around)
    except WorkspaceError as error:
        return _nothing_ran("failed", str(error), workspace)
    finally:
        workspace.remove_temporary()


def _nothing_ran(status: Literal["failed", "canceled"], reason: str, workspace: Workspace) -> RunResult:
    return RunResult(
        status=status, reason=reason, jobs=(), artefacts=workspace.artefacts, reports=workspace.reports
    )


def _nobody(_result: JobResult) -> None:
    """Who is told when the caller does not listen."""


def _run_all(
    plan: Plan, around: Surroundings, on_job: Callable[[JobResult], None], abandoned: threading.Event
) -> dict[str, JobResult]:
    """Results by name, in the order in which the jobs ended."""
    ended: dict[str, JobResult] = {}
    waiting = {planned.name: planned for planned in plan.jobs}
    running: dict[Future[JobResult], str] = {}
    with ThreadPoolExecutor(max_workers=around.limits.parallel) as pool:
        try:
            while waiting or running:
                for result in _start_ready(waiting, ended, running, pool, around):
                    ended[result.name] = result
                    on_job(result)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda future: running[future]):
                    del running[future]
                    result = future.result()
                    ended[result.name] = result
                    on_job(result)
        except BaseException:
            # The pool waits for its threads when it is left; without this they would run their jobs to the
            # end first.
            abandoned.set()
            raise
    return ended


def _start_ready(
    waiting: dict[str, PlannedJob],
    ended: dict[str, JobResult],
    running: dict[Future[JobResult], str],
    pool: ThreadPoolExecutor,
    around: Surroundings,
) -> Iterator[JobResult]:
    """Start what can start and fits.

    Yield the results of jobs that will not run. Goes over the jobs in the order of the plan.
    """
    for name, planned in list(waiting.items()):
        if any(other not in ended for other in planned.waits_for):
            continue
        before = [ended[other] for other in planned.waits_for]
        if stop := around.stopped():
            del waiting[name]
            yield _not_run(planned, "canceled" if stop == CANCELED else "skipped", stop)
        elif (verdict := readiness.verdict(planned, before)) != "run":
            del waiting[name]
            yield _not_run(planned, verdict, "" if verdict == "manual" else readiness.reason(planned, before))
        elif len(running) < around.limits.parallel:
            del waiting[name]
            running[pool.submit(run_job, planned, around)] = name


def _not_run(planned: PlannedJob, status: Literal["skipped", "manual", "canceled"], why: str) -> JobResult:
    return JobResult(
        name=planned.name,
        stage=planned.job.stage,
        status=status,
        allow_failure=planned.allow_failure,
        failure_reason=why,
    )


def _summary(ended: dict[str, JobResult], around: Surroundings) -> RunResult:
    jobs = tuple(ended.values())
    failed = [job.name for job in jobs if job.status == "failed" and not job.allow_failure]
    stop = around.stopped() if any(job.failure_reason == around.stopped() for job in jobs) else ""
    measured = [job.coverage for job in jobs if job.coverage is not None]
    return RunResult(
        status="canceled" if stop == CANCELED else "failed" if failed or stop else "success",
        reason=stop or (f"failed: {', '.join(failed)}" if failed else ""),
        jobs=jobs,
        coverage=sum(measured) / len(measured) if measured else None,
        artefacts=around.workspace.artefacts,
        reports=around.workspace.reports,
        junit=tuple(case for job in jobs for case in job.junit),
    )
