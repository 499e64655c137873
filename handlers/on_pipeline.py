"""A pipeline has finished: its result becomes `TestsPassed` or `TestsFailed` of exactly its revision."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import GatherFacts, SetCheck
from bot.domain.event import Event
from bot.domain.trace import is_ours
from bot.domain.view import View
from handlers.declare import facts, on
from handlers.devops_engineer import AGENT, left_out


@on("PipelineFinished")
def on_pipeline_finished(event: Event, view: View) -> Decision:
    """Only a run in which every job that counts took part and succeeded is a pass."""
    run = read(event, p.PipelineFinished)
    if not is_ours(view.state, event.data):
        return NOTHING
    if run.told == "outcome":
        return _ask(run.repository, run.pipeline_id, view)
    missing = left_out(run, view) if run.status == "success" else ()
    if missing and (view.state.pipeline is None or run.revision != view.state.head):
        return NOTHING  # a run of before the module's pipeline was there, or of what is no longer asked about
    if missing:
        reason = messages.jobs_left_out(missing)
        run = run.model_copy(update={"status": "failed", "reason": reason})
    failed = tuple(job.name for job in run.jobs if job.status == "failed" and not job.allow_failure)
    passed = run.status == "success" and not failed
    tests = p.Tests(
        revision=run.revision,
        pipeline_id=run.pipeline_id,
        coverage=run.coverage,
        failed_jobs=failed,
        reason=run.reason,
        url=run.url,
    )
    check = SetCheck(
        target=view.state.forge,
        repository=run.repository,
        purpose="pipeline",
        agent_id=AGENT,
        revision=run.revision,
        name=messages.PIPELINE_CHECK,
        conclusion="success" if passed else "failure",
        title=messages.pipeline_title(run),
        summary=messages.pipeline_summary(run),
        url=run.url,
    )
    return record(
        draft("TestsPassed" if passed else "TestsFailed", tests, agent_id=AGENT, skill_id="RunTests")
    ) + do(check)


@on("StatusReported")
def on_job_ended(event: Event, view: View) -> Decision:
    """Ask for the run of a job that has ended, until the run is known to have passed.

    A forge may count the bot's checks as a part of the run: it then waits for them, they for the tests, and
    nobody says that the jobs have ended but the jobs.
    """
    run, known = event.data.get("pipelineId"), view.state.runs.get(event.data["revision"], {})
    if not run or (known.get("pipelineId"), known.get("status")) == (run, "success"):
        return NOTHING
    return _ask(event.data["repository"], run, view)


def _ask(repository: str, run: str, view: View) -> Decision:
    return do(
        GatherFacts(
            target=view.state.forge,
            repository=repository,
            purpose="run",
            correlation=f"run-{run}",
            agent_id=AGENT,
            run=run,
        )
    )


@facts("run")
def on_run_told(gathered: p.FactsGathered, _view: View) -> Decision:
    """The forge has told the jobs and the coverage of a run whose end alone it had announced."""
    return record(draft("PipelineFinished", gathered.run, agent_id=AGENT)) if gathered.run else NOTHING
