"""DevOps Engineer: commits the pipeline YAML from a template and keeps the result of its runs (seed 003,
agent 3).
"""

from __future__ import annotations

from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import CommitFiles, CommitResult, File, GatherFacts
from bot.domain.view import View
from bot.pipelines import gitlab_ci, templates
from bot.pipelines.model import Pipeline
from handlers.code_committer import trailers
from handlers.declare import done, facts, skill
from handlers.tasks import failed, running

AGENT = "devops-engineer"
PATH = ".gitlab-ci.yml"


@skill(AGENT, "GeneratePipeline")
def generate_pipeline(task: p.TaskScheduled, view: View) -> Decision:
    """Read what the branch has now."""
    state = view.state
    change = state.change or {}
    return do(
        GatherFacts(
            target=state.forge,
            repository=state.repository,
            purpose="pipeline",
            correlation=task.task_id,
            task_id=task.task_id,
            agent_id=AGENT,
            branch=change.get("source"),
            paths=(PATH,),
        )
    )


def wanted(view: View) -> Pipeline:
    """The forge-neutral pipeline of this module. Raises ValueError (unknown template, wrong input)."""
    state = view.state
    template = templates.load(state.module.get("template", "python-service"))
    inputs: dict[str, Any] = {
        "module": state.module_id,
        "path": state.module.get("path") or ".",
    } | state.module.get("inputs", {})
    trace = {
        "traceId": state.trace_id,
        "moduleId": state.module_id,
        "versionTag": state.version,
        "agentId": AGENT,
        "skillId": "GeneratePipeline",
    }
    return templates.render_pipeline(template, inputs, trace)


@facts("pipeline")
def commit_pipeline(gathered: p.FactsGathered, view: View) -> Decision:
    """Commit the pipeline when it differs from what is there."""
    task = running(view, AGENT, gathered.correlation)
    if task is None:
        return NOTHING
    try:
        text = gitlab_ci.render(wanted(view))
    except ValueError as error:
        return failed(task, "PipelineInvalid", str(error))
    if gathered.files.get(PATH) == text and gathered.branch_head:
        return record(_ready(view, gathered.branch_head, task.task_id, committed=False))
    return do(
        CommitFiles(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="pipeline",
            task_id=task.task_id,
            agent_id=AGENT,
            branch=(view.state.change or {})["source"],
            base=gathered.default_branch,
            files=(File(path=PATH, content=text),),
            message=f"ci: generate the pipeline of {view.state.module_id}",
            trailers=trailers(view.state, AGENT),
            expected_head=gathered.branch_head,
        )
    )


@done("CommitFiles", "pipeline")
def committed(action: p.ActionCompleted, view: View) -> Decision:
    """The pipeline is on the branch."""
    result = CommitResult.model_validate(action.result)
    return record(_ready(view, result.sha, action.task_id, committed=True))


def _ready(view: View, revision: str, task_id: str | None, *, committed: bool) -> Any:
    pipeline = wanted(view)
    jobs = tuple({"name": job.name, "stage": job.stage} for job in pipeline.jobs)
    ready = p.PipelineReady(
        repository=view.state.repository,
        revision=revision,
        path=PATH,
        template=pipeline.template,
        template_version=pipeline.template_version,
        stages=tuple(pipeline.stages),
        jobs=jobs,
        committed=committed,
    )
    return draft("PipelineReady", ready, agent_id=AGENT, skill_id="GeneratePipeline", task_id=task_id)
