"""`.gitlab-ci.yml` text to a Pipeline, or one error that says what is wrong, where, and what to do.

Checked here is everything that does not depend on the event: keywords, stages, needs, expressions, patterns.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.forges.local.runner import include
from bot.forges.local.runner.document import Document, Path, read
from bot.forges.local.runner.errors import PipelineError
from bot.forges.local.runner.model import (
    Artifacts,
    Changes,
    CoverageReport,
    Default,
    Image,
    Job,
    Keywords,
    Need,
    Pipeline,
    Reports,
    Retry,
    Rule,
    Workflow,
    WorkflowRule,
)

MAX_JOBS = 500
TOP_LEVEL = ("stages", "variables", "default", "workflow")
# Words that GitLab reads at the top and that are therefore never the names of jobs.
RESERVED = ("spec", "image", "services", "cache", "before_script", "after_script", "pages", "types")

_SECTIONS: dict[str, type[Keywords]] = {
    "default": Default,
    "rules": Rule,
    "changes": Changes,
    "workflow": Workflow,
    "needs": Need,
    "artifacts": Artifacts,
    "reports": Reports,
    "coverage_report": CoverageReport,
    "retry": Retry,
    "image": Image,
}
_ADVICE = {
    "after_script": "put it under `default:`",
    "before_script": "put it under `default:`",
    "cache": "remove it; hand files on with `artifacts`",
    "changes": "put it under `rules:` of a job",
    "dependencies": "use `needs`",
    "except": "use `rules`",
    "extends": "write the keywords into the job",
    "image": "put it under `default:`",
    "only": "use `rules`",
    "parallel": "write one job per combination",
    "trigger": "start the other pipeline from a script",
}


def parse(text: str, tree: Mapping[str, str] = MappingProxyType({})) -> Pipeline:
    """Read and check a pipeline file; `tree` (path -> text) is the revision that it includes files from.

    Raises PipelineError; nothing of the file is run.
    """
    document = include.resolve(read(text), tree)
    jobs = {name: body for name, body in document.data.items() if name not in TOP_LEVEL}
    _check_names(document, jobs)
    head = {name: document.data[name] for name in TOP_LEVEL if name in document.data}
    places = {name: document.position((name,)) for name in jobs}
    origins = {name: document.file((name,)) for name in jobs}
    try:
        pipeline = Pipeline.model_validate({**head, "jobs": jobs, "places": places, "origins": origins})
    except ValidationError as error:
        raise _explain(document, error) from error
    pipeline = pipeline.model_copy(
        update={"jobs": {name: _filled(job, pipeline.default) for name, job in pipeline.jobs.items()}}
    )
    _check_meaning(document, pipeline)
    return pipeline


def _check_names(document: Document, jobs: dict[str, Any]) -> None:
    if not jobs:
        raise _at(document, (), "the file has no job", "write `job-name:` and under it `script:`")
    if len(jobs) > MAX_JOBS:
        raise _at(document, (), f"the file has {len(jobs)} jobs, more than {MAX_JOBS}", "split it")
    for name in jobs:
        if name in RESERVED:
            raise _at(
                document,
                (name,),
                f"`{name}` is not supported here by the embedded runner",
                _ADVICE.get(name, "remove it"),
            )
        if name.startswith("."):
            raise _at(
                document,
                (name,),
                f"`{name}` is a hidden job, which nothing here can use",
                "remove it; `extends` is not supported",
            )


def _filled(job: Job, default: Default) -> Job:
    missing = default.model_fields_set - job.model_fields_set
    return job.model_copy(update={name: getattr(default, name) for name in missing})


def _check_meaning(document: Document, pipeline: Pipeline) -> None:
    stages = pipeline.all_stages
    for name, job in pipeline.jobs.items():
        if job.stage not in stages:
            known = ", ".join(pipeline.stages)
            raise _at(
                document,
                (name, "stage"),
                f"job `{name}`: the stage `{job.stage}` is not in `stages`",
                f"use one of: {known}",
            )
        for index, need in enumerate(job.needs or ()):
            _check_need(document, pipeline, (name, "needs", index), need)
        _check_manual(document, name, job)
    try:
        graphlib.TopologicalSorter(
            {name: [need.job for need in job.needs or ()] for name, job in pipeline.jobs.items()}
        ).prepare()
    except graphlib.CycleError as error:
        round_trip = " -> ".join(reversed(error.args[1]))
        raise _at(
            document,
            (error.args[1][0], "needs"),
            f"jobs need each other: {round_trip}",
            "remove one of the needs",
        ) from error


def _check_need(document: Document, pipeline: Pipeline, path: Path, need: Need) -> None:
    name, stages = str(path[0]), pipeline.all_stages
    target = pipeline.jobs.get(need.job)
    if target is None:
        if need.optional:
            return
        raise _at(
            document,
            path,
            f"job `{name}` needs `{need.job}`, which is no job of this file",
            "correct the name",
        )
    if target.stage in stages and stages.index(target.stage) > stages.index(pipeline.jobs[name].stage):
        raise _at(
            document,
            path,
            f"job `{name}` needs `{need.job}`, which is in the later stage `{target.stage}`",
            "move one of them to another stage",
        )


def _check_manual(document: Document, name: str, job: Job) -> None:
    """A manual job that may not fail blocks the stages after it until a person starts it.

    Nobody can start one here.
    """
    message = f"job `{name}`: `when: manual` without `allow_failure: true` would wait for a person for ever"
    advice = "add `allow_failure: true`"
    if job.rules is None and job.when == "manual" and not job.failure_allowed:
        raise _at(document, (name, "allow_failure"), message, advice)
    for index, rule in enumerate(job.rules or ()):
        allowed = rule.allow_failure if rule.allow_failure is not None else bool(job.allow_failure)
        if (rule.when or job.when) == "manual" and not allowed:
            raise _at(document, (name, "rules", index, "when"), message, advice)


def _explain(document: Document, error: ValidationError) -> PipelineError:
    """The first fault in the order of the file."""
    faults = [
        (document.position(path), path, detail) for detail in error.errors() for path in [_path(detail)]
    ]
    (line, column), path, detail = min(faults, key=lambda fault: fault[0])
    message, suggestion = _sentence(path, detail)
    return PipelineError(message, line=line, column=column, suggestion=suggestion, file=document.file(path))


def _path(detail: ErrorDetails) -> Path:
    """Pydantic's path without our own outer `jobs`."""
    location = detail["loc"]
    return location[1:] if location[0] == "jobs" else location


def _sentence(path: Path, detail: ErrorDetails) -> tuple[str, str]:
    where = ".".join(str(step) for step in path if step != "[key]")
    match detail["type"]:
        case "extra_forbidden":
            key = str(path[-1])
            known = ", ".join(
                sorted(field.alias or name for name, field in _section(path).model_fields.items())
            )
            return f"`{where}` is not supported by the embedded runner", _ADVICE.get(
                key, f"remove it; supported here: {known}"
            )
        case "missing":
            return f"`{where}` is missing", "add it"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"`{where}` is not a mapping", "write keywords under it"
        case "string_pattern_mismatch" if path[-1] == "[key]":
            return f"`{where}` is no name of a variable", "use letters, digits and underscores"
        case "value_error":
            message, _, suggestion = str(detail["ctx"]["error"]).partition("; ")
            return f"`{where}`: {message}", suggestion
        case _:
            return f"`{where}`: {detail['msg'][:1].lower()}{detail['msg'][1:]}", ""


def _section(path: Path) -> type[Keywords]:
    if path[:2] == ("workflow", "rules"):
        return WorkflowRule
    names = [str(step) for step in path[:-1] if isinstance(step, str)]
    if len(path) > 2 or path[0] in TOP_LEVEL:  # noqa: PLR2004 - deeper than a keyword of a job
        return _SECTIONS.get(names[-1], Job)
    return Job


def _at(document: Document, path: Path, message: str, suggestion: str) -> PipelineError:
    line, column = document.position(path)
    return PipelineError(message, line=line, column=column, suggestion=suggestion, file=document.file(path))
