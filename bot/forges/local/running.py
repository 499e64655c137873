"""Executes queued pipeline runs in the web process, so that a killed worker never takes a run with it."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local import history, kept, pipelines, runner, webhooks
from bot.forges.local.differences import Differences
from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeChange, ForgeJob, ForgePipeline, ForgeRepository

LOST = "runner lost"
log = structlog.get_logger(__name__)


class Runners:
    """A thread that claims queued runs, and a pool that executes them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._stop = threading.Event()
        self._free = threading.Semaphore(ground.settings.runners)
        self._pool = ThreadPoolExecutor(ground.settings.runners, thread_name_prefix="forge-runner")
        self._thread = threading.Thread(target=self._run, name="forge-pipelines", daemon=True)

    def start(self) -> None:
        """Runs that a dead process left behind are over; then begin."""
        fail_lost(self._ground)
        self._thread.start()

    def close(self) -> None:
        """Stop the running jobs; their runs go back into the queue, for the next start."""
        self._stop.set()
        self._thread.join(timeout=15)
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                claimed = self._claim()
            except Exception:
                log.exception("pipelines could not be claimed; trying again")
                claimed = None
            if claimed is None:
                self._stop.wait(self._ground.settings.poll_s)
            else:
                self._pool.submit(self._execute, claimed)

    def _claim(self) -> ForgePipeline | None:
        oldest = (
            select(ForgePipeline)
            .where(ForgePipeline.status == "queued")
            .order_by(col(ForgePipeline.id))
            .limit(1)
        )
        with self._ground.read() as session:  # looking costs nothing, and most looks find nothing
            if session.scalars(oldest).first() is None:
                return None
        if not self._free.acquire(blocking=False):
            return None
        with self._ground.write() as session:
            run = session.scalars(oldest.with_for_update()).first()
            if run is not None:
                run.status, run.started_at = "running", self._ground.moment()
                return run
        self._free.release()
        return None

    def _execute(self, run: ForgePipeline) -> None:
        try:
            Execution(self._ground, run, self._stop).run()
        except Exception as error:
            log.exception("a pipeline run broke", pipeline=run.id)
            finish(self._ground, run, "failed", f"the runner broke: {type(error).__name__}")
        finally:
            self._free.release()


class Execution:
    """One run: parse, plan, execute, tell."""

    def __init__(self, ground: Ground, run: ForgePipeline, stop: threading.Event) -> None:
        self._ground = ground
        self._row = run
        self._stop = stop
        self._folder = ground.folder(run.repository)
        self._workdir = ground.log_folder(run.id)

    def run(self) -> None:
        """Raises nothing that the pipeline is to blame for."""
        text = history.read(self._folder, self._row.sha, pipelines.FILE) or ""
        try:
            plan, for_change = self._plan(runner.parse(text, history.Tree(self._folder, self._row.sha)))
        except runner.PipelineError as error:
            finish(self._ground, self._row, "failed", f"{error.file or pipelines.FILE}: {error}")
            return
        if not plan.jobs:
            skip(self._ground, self._row, plan.reason, for_change=for_change)
            return
        self._announce_jobs(plan)
        shutil.rmtree(self._workdir, ignore_errors=True)  # of a run that a stop had put back into the queue
        result = runner.execute(
            plan,
            repository=self._folder,
            sha=self._row.sha,
            workdir=self._workdir,
            on_job=self._on_job,
            cancelled=self._stop,
            clock=self._ground.now,
        )
        kept.keep(kept.folder(self._ground, self._row.id), result.reports, result.artefacts)
        for folder in (result.reports, result.artefacts):
            shutil.rmtree(folder, ignore_errors=True)
        if self._stop.is_set() and result.status == "canceled":
            put_back(self._ground, self._row)
            return
        finish(self._ground, self._row, result.status, result.reason, coverage=result.coverage)

    def _plan(self, pipeline: runner.Pipeline) -> tuple[runner.Plan, bool]:
        """The plan for the push or, when the file leaves pushes out, for an open change of the branch."""
        with self._ground.read() as session:
            repository = session.get_one(ForgeRepository, self._row.repository)
            change = self._change(session)
        context = runner.RunContext(
            branch=self._name("refs/heads/"),
            tag=self._name("refs/tags/"),
            default_branch=repository.default_branch,
            source="push" if self._row.source == "push" else "api",
            sha=self._row.sha,
            pipeline_id=str(self._row.id),
            project=self._row.repository.partition("/")[2],
            message=history.commits(self._folder, self._row.sha, limit=1)[0].message,
            variables=self._row.variables,
        )
        differences = Differences(self._folder, self._row.sha, before=self._row.before)
        plan = runner.plan(pipeline, context, differences)
        if plan.jobs or change is None:
            return plan, change is not None
        about = {"source": "merge_request_event", "change": change.number, "target_branch": change.target}
        context = runner.RunContext.model_validate(context.model_dump() | about)
        return runner.plan(pipeline, context, replace(differences, target=change.target)), True

    def _name(self, prefix: str) -> str | None:
        return self._row.ref.removeprefix(prefix) if self._row.ref.startswith(prefix) else None

    def _change(self, session: Session) -> ForgeChange | None:
        found = webhooks.open_changes(session, self._row.repository, self._name("refs/heads/") or "")
        return next((change for change in found if change.head == self._row.sha), None)

    def _announce_jobs(self, plan: runner.Plan) -> None:
        with self._ground.write() as session:
            for job in pipelines.jobs(session, self._row):
                session.delete(job)
            session.add_all(
                ForgeJob(
                    pipeline_id=self._row.id or 0,
                    position=position,
                    name=planned.name,
                    stage=planned.job.stage,
                    status="pending",
                    allow_failure=planned.allow_failure,
                )
                for position, planned in enumerate(plan.jobs)
            )

    def _on_job(self, result: runner.JobResult) -> None:
        with self._ground.write() as session:
            wanted = select(ForgeJob).where(
                ForgeJob.pipeline_id == self._row.id, ForgeJob.name == result.name
            )
            job = session.scalars(wanted).one()
            job.status, job.duration_s, job.failure_reason = (
                result.status,
                result.duration_s,
                result.failure_reason,
            )
            job.allow_failure = result.allow_failure
            job.log = self._below_home(result.log_path)

    def _below_home(self, path: Path | None) -> str:
        return str(path.resolve().relative_to(self._ground.settings.home.resolve())) if path else ""


def finish(
    ground: Ground, run: ForgePipeline, status: str, reason: str, *, coverage: float | None = None
) -> None:
    """Record how a run ended, and tell."""
    found = history.commits(ground.folder(run.repository), run.sha, limit=1)
    with ground.write() as session:
        row = session.get_one(ForgePipeline, run.id)
        row.status, row.reason, row.coverage, row.ended_at = status, reason, coverage, ground.moment()
        session.flush()
        source = row.ref.removeprefix("refs/heads/") if row.ref.startswith("refs/heads/") else ""
        changes = [change.number for change in webhooks.open_changes(session, row.repository, source)]
        webhooks.enqueue(
            ground,
            session,
            row.repository,
            "pipeline",
            row.actor,
            pipeline=webhooks.pipeline_json(ground, row, pipelines.jobs(session, row)),
            changes=changes,
            headCommit=webhooks.head_commit(found[0]),
        )


def skip(ground: Ground, run: ForgePipeline, reason: str, *, for_change: bool) -> None:
    """The file has no job for this event. Nobody is told, as there is no pipeline.

    A change that was opened while we looked may be what the file waits for: then look again.
    """
    with ground.write() as session:
        row = session.get_one(ForgePipeline, run.id)
        source = row.ref.removeprefix("refs/heads/")
        opened = any(
            change.head == row.sha for change in webhooks.open_changes(session, row.repository, source)
        )
        row.status, row.reason, row.ended_at = "skipped", reason, ground.moment()
        if opened and not for_change:
            row.status, row.ended_at = "queued", None


def put_back(ground: Ground, run: ForgePipeline) -> None:
    """A stopped process's run: done again at the next start."""
    with ground.write() as session:
        row = session.get_one(ForgePipeline, run.id)
        row.status, row.started_at = "queued", None


def fail_lost(ground: Ground) -> None:
    """Runs of a process that is gone have failed: their jobs may have done anything, so none is repeated."""
    with ground.read() as session:
        lost = session.scalars(select(ForgePipeline).where(ForgePipeline.status == "running")).all()
    for run in lost:
        with ground.write() as session:
            for job in pipelines.jobs(session, run):
                if job.status == "pending":
                    job.status, job.failure_reason = "canceled", LOST
        finish(ground, run, "failed", LOST)
