"""A neutral pipeline in GitLab's words. Pure and deterministic: the same pipeline gives the same text.

`render` makes the whole `.gitlab-ci.yml` of a repository that is one module, `render_module` the file of one
of several, which a root file includes (bot/pipelines/gitlab_root.py). The keywords used here are those that
the embedded forge's runner executes, so one file serves GitLab and the demo.
"""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bot.pipelines import metadata
from bot.pipelines.model import Artefacts, Events, Job, Pipeline, Reports
from bot.pipelines.text import block, heading, text_of

FILE = ".gitlab-ci.yml"
# A folder of its own: people keep files of theirs in .gitlab/ci, and the root file includes all that is here.
FOLDER = ".gitlab/ci/pointsman"

_CHANGE = '$CI_PIPELINE_SOURCE == "merge_request_event"'
# GitLab's own advice against running everything twice, for the branch and for its change:
# https://docs.gitlab.com/ci/yaml/workflow/#switch-between-branch-pipelines-and-merge-request-pipelines
ONCE = {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"}
METADATA = metadata.shell(message="CI_COMMIT_MESSAGE", revision="CI_COMMIT_SHA")


def file_of(pipeline: Pipeline) -> str:
    """Where a module's own file lies."""
    return f"{FOLDER}/{pipeline.module}.yml"


def job_name(pipeline: Pipeline, job: Job) -> str:
    """A job's name beside other modules' jobs. Neither part has a colon, so no two of them are the same."""
    return f"{pipeline.module}:{job.name}"


def render(pipeline: Pipeline) -> str:
    """The whole file's text, with a comment that names the template."""
    document: dict[str, Any] = {
        "workflow": {"rules": _workflow_rules(pipeline.on)},
        "stages": list(pipeline.stages),
        "default": {"before_script": [_command(METADATA)]},
        "variables": _variables({**pipeline.variables, "moduleId": pipeline.module}),
    }
    for job in pipeline.jobs:
        head: dict[str, Any] = {"stage": job.stage}
        if job.needs is not None:
            head["needs"] = [_need(other.name, other, job) for other in pipeline.before(job)]
        if job.on is not None:
            head["rules"] = _job_rules(job.on)
        if job.variables:
            head["variables"] = _variables(job.variables)
        document[job.name] = head | _body(job)
    return heading(pipeline) + text_of(document)


def render_module(pipeline: Pipeline) -> str:
    """The text of the module's own file: jobs that stand alone, whatever else the root file has.

    They wait for their own module's jobs only, and run when a file of the module has changed.
    """
    document: dict[str, Any] = {}
    for job in pipeline.jobs:
        head: dict[str, Any] = {
            "stage": job.stage,
            "needs": [_need(job_name(pipeline, other), other, job) for other in pipeline.before(job)],
            "rules": _module_rules(pipeline, job),
            "variables": _variables({**pipeline.variables, **job.variables, "moduleId": pipeline.module}),
            "before_script": [_command(METADATA)],
        }
        document[job_name(pipeline, job)] = head | _body(job)
    return heading(pipeline) + text_of(document)


def _workflow_rules(events: Events) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if events.changes:
        rules.append({"if": _CHANGE})
        if events.branches:
            rules.append(dict(ONCE))
    return rules + _ref_rules(events)


def _job_rules(events: Events) -> list[dict[str, Any]]:
    changes = [{"if": _CHANGE}] if events.changes else []
    return [*changes, *_ref_rules(events)]


def _module_rules(pipeline: Pipeline, job: Job) -> list[dict[str, Any]]:
    """The events of the pipeline that are also the job's, where the module's files have changed.

    That a branch is not run beside its change is the root file's to say (`workflow`): said here as well, jobs
    would never run below a person's root file that has branch pipelines only. GitLab compares a change with
    its target. A push to a branch is compared with the default branch, or a second push that touches nothing
    of the module would leave a revision untested; a push to the default branch with what was there before. A
    tag has nothing to be compared with.
    """
    own = job.on or pipeline.on
    where = _where(pipeline)
    since_default = {"compare_to": "refs/heads/$CI_DEFAULT_BRANCH"} if where else {}
    rules: list[dict[str, Any]] = []
    if pipeline.on.changes and own.changes:
        rules.append({"if": _CHANGE} | _changes(where))
    for condition in _both("CI_COMMIT_BRANCH", pipeline.on.branches, own.branches):
        if where:
            rules.append({"if": _on_default(condition)} | _changes(where))
        rules.append({"if": condition} | _changes(where | since_default))
    rules += [{"if": condition} for condition in _both("CI_COMMIT_TAG", pipeline.on.tags, own.tags)]
    return rules or [{"when": "never"}]


def _where(pipeline: Pipeline) -> dict[str, Any]:
    return {"paths": [f"{pipeline.path}/**/*", file_of(pipeline)]} if pipeline.in_a_folder else {}


def _changes(where: dict[str, Any]) -> dict[str, Any]:
    return {"changes": dict(where)} if where else {}


def _on_default(condition: str) -> str:
    default = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
    return default if condition == "$CI_COMMIT_BRANCH" else f"{default} && {condition}"


def _both(variable: str, patterns: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """Conditions of which one holds when a name matches one of `patterns` and one of `others`."""
    if patterns == others:
        return [_condition(variable, name) for name in patterns]
    met: list[str] = []
    for pair in ((one, other) for one in patterns for other in others):
        names = [name for name in dict.fromkeys(pair) if name != "**"] or ["**"]
        met.append(" && ".join(_condition(variable, name) for name in names))
    return list(dict.fromkeys(met))


def _need(name: str, other: Job, job: Job) -> str | dict[str, Any]:
    """What `on` leaves out of a run must not keep others from running."""
    return name if other.on is None or other.on == job.on else {"job": name, "optional": True}


def _ref_rules(events: Events) -> list[dict[str, Any]]:
    branches = [{"if": _condition("CI_COMMIT_BRANCH", pattern)} for pattern in events.branches]
    return branches + [{"if": _condition("CI_COMMIT_TAG", pattern)} for pattern in events.tags]


def _condition(variable: str, pattern: str) -> str:
    if pattern == "**":
        return f"${variable}"
    if "*" not in pattern:
        return f'${variable} == "{pattern}"'
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^/]*"}
    body = "".join(wild.get(part) or re.escape(part) for part in parts)
    # Also inside brackets: GitLab ends the pattern at the first bare slash.
    bounded = body.replace("/", "\\/")
    return f"${variable} =~ /^{bounded}$/"


def _variables(variables: dict[str, str]) -> dict[str, str]:
    """Always quoted, so that `1.10` and `yes` stay texts; `$$` is a dollar sign to GitLab."""
    return {name: DoubleQuotedScalarString(value.replace("$", "$$")) for name, value in variables.items()}


def _body(job: Job) -> dict[str, Any]:
    body: dict[str, Any] = {"script": [_command(step) for step in job.steps]}
    if job.coverage:
        body["coverage"] = f"/{job.coverage}/"
    if job.artefacts or job.reports:
        body["artifacts"] = _artifacts(job.artefacts, job.reports)
    body["timeout"] = f"{job.timeout} seconds"
    if job.allow_failure:
        body["allow_failure"] = True
    return body


def _command(step: str) -> str:
    return block(step.rstrip() + "\n") if "\n" in step.strip() else step.strip()


def _artifacts(artefacts: Artefacts | None, reports: Reports | None) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if artefacts:
        body["paths"] = list(artefacts.paths)
        if artefacts.always:
            body["when"] = "always"
    if reports:
        named: dict[str, Any] = {}
        if reports.junit:
            named["junit"] = reports.junit
        if reports.cobertura:
            named["coverage_report"] = {"coverage_format": "cobertura", "path": reports.cobertura}
        body["reports"] = named
    return body
