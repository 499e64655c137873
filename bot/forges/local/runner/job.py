"""Run one planned job to its result, with its retries."""

from __future__ import annotations

from bot.forges.local.runner import attempt, reports
from bot.forges.local.runner.attempt import Surroundings
from bot.forges.local.runner.errors import PipelineError
from bot.forges.local.runner.log import Log
from bot.forges.local.runner.plan import PlannedJob
from bot.forges.local.runner.process import Ended
from bot.forges.local.runner.results import JobResult
from bot.forges.local.runner.workspace import WorkspaceError

# The reason of a stop that a person asked for; any other reason is a failure.
CANCELED = "canceled"


def run_job(planned: PlannedJob, around: Surroundings) -> JobResult:
    """Never raises for what the job does; a fault of the machine becomes the job's failure."""
    started = around.clock()
    log = Log(around.workspace.log_path(planned.name), around.secrets, around.limits.log_bytes)
    try:
        ended, failure = _attempts(planned, around, log)
    except (OSError, WorkspaceError, PipelineError) as error:
        ended, failure = Ended(None), f"the runner failed: {error}"
        log.say(failure)
    cases, unreadable = reports.junit(around.workspace.reports_of(planned.name))
    for name in unreadable:
        log.say(f"WARNING: {name}: no JUnit report")
    log.close()
    failure = failure or log.broken
    finished = around.clock()
    pattern, kept = planned.job.coverage, around.workspace.artefacts_of(planned.name)
    return JobResult(
        name=planned.name,
        stage=planned.job.stage,
        status="canceled" if ended.stopped == CANCELED else "failed" if failure else "success",
        allow_failure=planned.allow_failure,
        exit_code=ended.exit_code,
        started_at=started,
        finished_at=finished,
        duration_s=max(0.0, (finished - started).total_seconds()),
        coverage=reports.coverage(pattern, log.path) if pattern else None,
        log_path=log.path,
        artefacts=kept if kept.is_dir() else None,
        junit=tuple(cases),
        failure_reason=failure,
    )


def _attempts(planned: PlannedJob, around: Surroundings, log: Log) -> tuple[Ended, str]:
    if planned.job.image:
        log.say(f"image {planned.job.image.name} is not used: jobs run in this machine's own shell")
    attempts = planned.job.retry.max + 1
    for number in range(1, attempts + 1):
        if number > 1:
            log.say(f"attempt {number} of {attempts}")
        ended, failure = attempt.begin(planned, around, log).run()
        if not failure or ended.stopped == CANCELED or around.stopped():
            break
    return ended, failure
