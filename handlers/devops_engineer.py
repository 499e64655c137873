"""DevOps Engineer: commits the pipeline YAML from a template and keeps the result of its runs (seed 003,
agent 3).
"""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import CommitFiles, CommitResult, File, GatherFacts
from bot.domain.event import Draft
from bot.domain.view import View
from bot.pipelines import systems, templates
from bot.pipelines.model import Pipeline
from bot.pipelines.written import CannotWrite, Written
from handlers.code_committer import trailers
from handlers.declare import done, facts, skill
from handlers.tasks import failed, running

AGENT = "devops-engineer"
SKILL = "GeneratePipeline"
NOT_RUN = frozenset({"skipped", "manual", "canceled"})
"""Results of a job that say nothing of its module."""


@skill(AGENT, SKILL)
def generate_pipeline(task: p.TaskScheduled, view: View) -> Decision:
    """Read what the branch has now."""
    try:
        return do(look(view, "pipeline", task.task_id, task.task_id))
    except ValueError as error:
        return failed(task, "PipelineInvalid", str(error))


def look(view: View, purpose: str, correlation: str, task_id: str | None = None) -> GatherFacts:
    """Have the files read that a pipeline is written into. Raises ValueError."""
    state = view.state
    return GatherFacts(
        target=state.forge,
        repository=state.repository,
        purpose=purpose,
        correlation=correlation,
        task_id=task_id,
        agent_id=AGENT,
        branch=(state.change or {}).get("source"),
        paths=systems.of(state.forge).reads(wanted(view)),
    )


def wanted(view: View) -> Pipeline:
    """The forge-neutral pipeline of this module. Raises ValueError (unknown template, wrong input)."""
    state = view.state
    template = templates.load(state.module.get("template", "python-service"))
    # Last, so that no input lets a module write another one's pipeline.
    own: dict[str, Any] = {"module": state.module_id, "path": state.module.get("path") or "."}
    return templates.render_pipeline(template, {**state.module.get("inputs", {}), **own})


@facts("pipeline")
def commit_pipeline(gathered: p.FactsGathered, view: View) -> Decision:
    """Commit the files of the pipeline that differ from what is there."""
    task = running(view, AGENT, gathered.correlation)
    if task is None:
        return NOTHING
    try:
        return write(gathered, view, task.task_id)
    except CannotWrite as error:
        return failed(task, "PipelineConflict", str(error))
    except ValueError as error:
        return failed(task, "PipelineInvalid", str(error))


def write(gathered: p.FactsGathered, view: View, task_id: str | None = None) -> Decision:
    """Commit what differs, or state that nothing does. Raises CannotWrite, ValueError."""
    pipeline = wanted(view)
    written = systems.of(view.state.forge).written(pipeline, gathered.files)
    then = _ready(view, pipeline, written)
    new = {path: text for path, text in written.files.items() if gathered.files.get(path) != text}
    if not new and gathered.branch_head:
        return record(_said(then, gathered.branch_head, task_id, committed=False))
    return do(
        CommitFiles(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="pipeline",
            task_id=task_id,
            agent_id=AGENT,
            branch=(view.state.change or {})["source"],
            base=gathered.default_branch,
            files=tuple(File(path=path, content=text) for path, text in sorted(new.items())),
            message=messages.pipeline_commit(view.state.module_id, written.notes),
            trailers=trailers(view.state, AGENT, SKILL),
            expected_head=gathered.branch_head,
            then=then,
        )
    )


@done("CommitFiles", "pipeline")
def committed(action: p.ActionCompleted, _view: View) -> Decision:
    """The pipeline is on the branch."""
    result = CommitResult.model_validate(action.result)
    return record(_said(action.request["then"], result.sha, action.task_id, committed=True))


def _ready(view: View, pipeline: Pipeline, written: Written) -> dict[str, Any]:
    """All of `PipelineReady` that is known before the commit."""
    return {
        "repository": view.state.repository,
        "path": written.path,
        "files": sorted(written.files),
        "notes": list(written.notes),
        "template": pipeline.template,
        "templateVersion": pipeline.template_version,
        "stages": list(pipeline.stages),
        "jobs": [
            {"name": written.jobs[job.name], "stage": job.stage, "always": job.on is None}
            for job in pipeline.jobs
        ],
    }


def _said(ready: dict[str, Any], revision: str, task_id: str | None, *, committed: bool) -> Draft:
    said = p.PipelineReady.model_validate({**ready, "revision": revision, "committed": committed})
    return draft("PipelineReady", said, agent_id=AGENT, skill_id=SKILL, task_id=task_id)


def left_out(run: p.PipelineFinished, view: View) -> tuple[str, ...]:
    """Jobs of the module that a run should have had and had not: such a run says nothing of the module.

    Before the pipeline is known to be there, its jobs may have either form of their names. A forge that does
    not name the jobs of a run is believed.
    """
    ran = {job.name for job in run.jobs if job.status not in NOT_RUN}
    if not run.jobs or not view.state.module_event:
        return ()
    if view.state.pipeline:
        known = view.state.pipeline.get("jobs", ())
        return tuple(job["name"] for job in known if job.get("always") and job["name"] not in ran)
    try:
        pipeline = wanted(view)
    except ValueError:
        return ()
    always = [job.name for job in pipeline.jobs if job.on is None]
    named = [f"{pipeline.module}:{name}" for name in always]
    return () if ran.issuperset(always) or ran.issuperset(named) else tuple(always)
