"""A pipeline has finished: its result becomes `TestsPassed` or `TestsFailed` of exactly its revision."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import Decision, do, record
from bot.domain.effect import SetCheck
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on


@on("PipelineFinished")
def on_pipeline_finished(event: Event, view: View) -> Decision:
    """Only a run in which every job that counts succeeded is a pass."""
    run = read(event, p.PipelineFinished)
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
        agent_id="devops-engineer",
        revision=run.revision,
        name=messages.PIPELINE_CHECK,
        conclusion="success" if passed else "failure",
        title=messages.pipeline_title(run),
        summary=messages.pipeline_summary(run),
        url=run.url,
    )
    return record(
        draft(
            "TestsPassed" if passed else "TestsFailed", tests, agent_id="devops-engineer", skill_id="RunTests"
        )
    ) + do(check)
