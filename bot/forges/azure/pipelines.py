"""Azure Pipelines: making a pipeline of a committed file, running it again, and reading how a run went.

A YAML file is no pipeline here until a definition points to it: the bot makes one when it has committed the
file. The variables it gives to a run have to be named in the definition, and there it names them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from bot import log_text
from bot.domain import effect as e
from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.forges.azure.names import HEADS, run_url
from bot.forges.azure.place import Place
from bot.forges.azure.said_runs import OUTCOMES, ran_on
from bot.forges.azure.speech import Refusal
from bot.pipelines import azure_pipelines

FILE = azure_pipelines.FILE
EFFECT = "POINTSMAN_EFFECT_ID"
HOME = "TfsGit"
YAML_PROCESS = 2
POOL = "Azure Pipelines"
RUNS_READ = 50
TAIL_JOBS, TAIL_LINES = 3, 200
OWN_TRIGGER = {"triggerType": "continuousIntegration", "settingsSourceType": 2}
"""When to run is said in the file, not in the definition."""
JOB_STATUS = {
    "succeeded": "success",
    "succeededWithIssues": "success",
    "failed": "failed",
    "canceled": "canceled",
    "abandoned": "canceled",
    "skipped": "skipped",
}


def ensure(place: Place, variables: Mapping[str, str] | None = None, file: str = FILE) -> Any:
    """The pipeline of the committed file, made when there is none. Raises Refusal."""
    found = place.client.build.get_definitions(
        project=place.repository.project,
        repository_id=place.about.id,
        repository_type=HOME,
        process_type=YAML_PROCESS,
        yaml_filename=file,
    )
    if found:
        return min(found, key=lambda one: one.id)
    names = [EFFECT, *(variables or {})]
    repository = place.client.model(
        "build",
        "BuildRepository",
        id=place.about.id,
        name=place.repository.name,
        type=HOME,
        default_branch=HEADS + place.default_branch,
    )
    wanted = place.client.model(
        "build",
        "BuildDefinition",
        name=f"{place.repository.name}{_module(file)} (Pointsman)",
        repository=repository,
        process={"type": YAML_PROCESS, "yamlFilename": file},
        queue=_queue_of(place),
        triggers=[OWN_TRIGGER],
        variables={name: _settable(place) for name in dict.fromkeys(names)},
    )
    return place.client.build.create_definition(definition=wanted, project=place.repository.project)


def _queue_of(place: Place) -> Any:
    """The forge's own machines, or else the first queue that the project has."""
    project = place.repository.project
    found = place.client.agents.get_agent_queues(project=project, queue_name=POOL) or (
        place.client.agents.get_agent_queues(project=project)
    )
    if not found:
        raise Refusal(404, "QueueMissing", f"{project} has no agent queue to run pipelines on")
    return place.client.model("build", "AgentPoolQueue", id=found[0].id)


def _module(file: str) -> str:
    """What keeps the names of several pipelines of one repository apart."""
    return "" if file == FILE else f" {PurePosixPath(file).stem.removeprefix('pointsman-')}"


def _settable(place: Place) -> Any:
    return place.client.model("build", "BuildDefinitionVariable", value="", allow_override=True)


def run_pipeline(place: Place, effect_id: str, effect: e.RunPipeline) -> e.PipelineResult:
    """One more run for each effect, found again by the variable that names the effect."""
    commit = place.commit(effect.revision)
    if commit is None:
        raise Permanent("RevisionMissing", f"there is no revision {effect.revision} in {place.repository}")
    file = effect.path or FILE
    if file not in place.tree(commit.tree):
        raise Permanent("NoPipeline", f"{effect.revision[:12]} has no {file}")
    definition = ensure(place, effect.variables, file)
    there = _queued(place, definition.id, effect, effect_id)
    run = there or _queue(place, definition.id, effect, effect_id)
    url = run_url(place.client.organisation, place.repository.project, run.id)
    return e.PipelineResult(pipeline_id=str(run.id), url=url)


def _queued(place: Place, definition: int, effect: e.RunPipeline, effect_id: str) -> Any | None:
    found = place.client.build.get_builds(
        project=place.repository.project,
        definitions=[definition],
        branch_name=HEADS + effect.branch,
        query_order="queueTimeDescending",
        top=RUNS_READ,
    )
    return next((one for one in found or () if _variables(one).get(EFFECT) == effect_id), None)


def _variables(run: Any) -> dict[str, Any]:
    said = json.loads(run.parameters) if run.parameters else {}
    return said if isinstance(said, dict) else {}


def _queue(place: Place, definition: int, effect: e.RunPipeline, effect_id: str) -> Any:
    wanted = place.client.model(
        "build",
        "Build",
        definition=place.client.model("build", "DefinitionReference", id=definition),
        source_branch=HEADS + effect.branch,
        source_version=effect.revision,
        parameters=json.dumps({**effect.variables, EFFECT: effect_id}),
    )
    try:
        return place.client.build.queue_build(build=wanted, project=place.repository.project)
    except Refusal as refusal:
        if refusal.status == 400 and "variable" in refusal.message.casefold():  # noqa: PLR2004 - HTTP
            raise Permanent(
                "VariablesRefused",
                f"the pipeline of {effect.path or FILE} lets these not be set when it is queued: "
                f"{', '.join((*effect.variables, EFFECT))} (define them there, settable at queue time)",
            ) from refusal
        raise


def run_of(place: Place, run_id: str) -> p.PipelineFinished:
    """A run that has ended, with its jobs, its coverage and the file it came from."""
    if not run_id.isdecimal():
        raise Permanent("NotFound", f"there is no run {run_id} in {place.repository}")
    project, number = place.repository.project, int(run_id)
    run = place.client.build.get_build(project=project, build_id=number)
    outcome = OUTCOMES.get(str(run.result or ""))
    if outcome is None:
        raise Retryable(f"run {run_id} of {place.repository} has not ended yet")
    build = {
        "sourceBranch": run.source_branch,
        "sourceVersion": run.source_version,
        "triggerInfo": run.trigger_info,
    }
    said = {
        "repository": str(place.repository),
        **ran_on(build),
        "pipelineId": run_id,
        "path": _file_of(place, run),
        "status": outcome,
        "reason": _reason(run),
        "url": run_url(place.client.organisation, project, number),
        "coverage": _coverage(place, number),
        "jobs": _jobs(place, run),
    }
    return p.PipelineFinished.model_validate(said)


def _file_of(place: Place, run: Any) -> str:
    found = place.client.build.get_definition(
        project=place.repository.project, definition_id=run.definition.id
    )
    return str((found.process or {}).get("yamlFilename") or "").lstrip("/")


def _reason(run: Any) -> str:
    """What was wrong with the file itself, where a run ended before it began."""
    return "; ".join(one.message for one in run.validation_results or () if one.result == "error")


def _jobs(place: Place, run: Any) -> list[dict[str, Any]]:
    timeline = place.client.build.get_build_timeline(project=place.repository.project, build_id=run.id)
    records = {one.id: one for one in (timeline.records if timeline else None) or ()}
    jobs = sorted(
        (one for one in records.values() if one.type == "Job"), key=lambda one: (one.order or 0, one.name)
    )
    allowed = str(run.result) == "partiallySucceeded"
    failed = [] if allowed else [job.id for job in jobs if str(job.result) == "failed"][:TAIL_JOBS]
    return [
        _job(job, _stage(job, records), allowed=allowed)
        | ({"logTail": _tail(place, run.id, job)} if job.id in failed else {})
        for job in jobs
    ]


def _tail(place: Place, run: int, job: Any) -> str:
    """The last lines a job printed; empty when the log is gone."""
    if job.log is None:
        return ""
    where = {"project": place.repository.project, "build_id": run}
    try:
        lines = {one.id: one.line_count or 0 for one in place.client.build.get_build_logs(**where) or ()}
        first = max(1, lines.get(job.log.id, 0) - TAIL_LINES)
        found = place.client.build.get_build_log_lines(log_id=job.log.id, start_line=first, **where)
    except Refusal:
        return ""
    return log_text.tail("\n".join(found or ()))


def _job(job: Any, stage: str, *, allowed: bool) -> dict[str, Any]:
    """A failure in a run that partially succeeded was allowed (`continueOnError`)."""
    status = JOB_STATUS.get(str(job.result or ""), "canceled")
    lasted = (job.finish_time - job.start_time).total_seconds() if job.finish_time and job.start_time else 0.0
    errors = [one.message for one in job.issues or () if str(one.type) == "error"]
    return {
        "name": job.name,
        "stage": stage,
        "status": status,
        "allowFailure": status == "failed" and allowed,
        "durationS": max(0.0, lasted),
        "failureReason": errors[0] if errors and status == "failed" else "",
    }


def _stage(record: Any, records: Mapping[str, Any]) -> str:
    """The name of the stage that a job is in; a run without stages has one that the forge names itself."""
    above = records.get(record.parent_id)
    while above is not None and above.type != "Stage":
        above = records.get(above.parent_id)
    name = str(above.name) if above is not None else ""
    return "" if name == "__default" else name


def _coverage(place: Place, run: int) -> float | None:
    """Lines covered, in per cent, of all that the run's coverage files tell."""
    summary = place.client.coverage(place.repository.project, run)
    stats = [one for data in summary.coverage_data or () for one in data.coverage_stats or ()]
    lines = [one for one in stats if str(one.label).casefold() in {"line", "lines"}]
    total = sum(one.total or 0 for one in lines)
    return round(100 * sum(one.covered or 0 for one in lines) / total, 2) if total else None
