"""Events as GitLab's rules, of which the first that holds decides. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.pipelines.model import Events, Job, Occasions, Pipeline

Rule = dict[str, Any]
CHANGE = '$CI_PIPELINE_SOURCE == "merge_request_event"'
SCHEDULE = '$CI_PIPELINE_SOURCE == "schedule"'
MANUAL = '$CI_PIPELINE_SOURCE == "web"'
# GitLab's own advice against running everything twice, for the branch and for its change:
# https://docs.gitlab.com/ci/yaml/workflow/#switch-between-branch-pipelines-and-merge-request-pipelines
ONCE = {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"}


def of_workflow(events: Events) -> list[Rule]:
    """When there is a pipeline at all."""
    rules: list[Rule] = [{"if": SCHEDULE}] if events.schedules else []
    rules += [{"if": MANUAL}] if events.manual else []
    if events.changes:
        rules.append({"if": CHANGE})
        if events.branches:
            rules.append(dict(ONCE))
    return rules + _of_refs(events.occasions)


def of_job(pipeline: Pipeline, job: Job) -> list[Rule] | None:
    """When a job of the pipeline takes part; None when it always does."""
    if job.on is None and _when(job) is None:
        return None
    own = job.on or pipeline.on.occasions
    changes = [{"if": CHANGE}] if own.changes else []
    return _with_when(job, [*_by_hand_or_clock(pipeline, own), *changes, *_of_refs(own)])


def of_module(pipeline: Pipeline, job: Job, own_file: str) -> list[Rule]:
    """The events of the pipeline that are also the job's, where the module's files have changed.

    That a branch is not run beside its change is the root file's to say (`workflow`): said here as well, jobs
    would never run below a person's root file that has branch pipelines only. GitLab compares a change with
    its target. A push to a branch is compared with the default branch, or a second push that touches nothing
    of the module would leave a revision untested; a push to the default branch with what was there before. A
    tag has nothing to be compared with, nor has a run that a person or the clock starts.
    """
    own, all_of_them = job.on or pipeline.on.occasions, pipeline.on
    where = _where(pipeline, own_file)
    since_default = {"compare_to": "refs/heads/$CI_DEFAULT_BRANCH"} if where else {}
    rules: list[Rule] = list(_by_hand_or_clock(pipeline, own))
    if all_of_them.changes and own.changes:
        rules.append({"if": CHANGE} | _changes(where))
    for condition in _both("CI_COMMIT_BRANCH", all_of_them.branches, own.branches):
        if where:
            rules.append({"if": _on_default(condition)} | _changes(where))
        rules.append({"if": condition} | _changes(where | since_default))
    rules += [{"if": condition} for condition in _both("CI_COMMIT_TAG", all_of_them.tags, own.tags)]
    return _with_when(job, rules) if any(_runs(rule) for rule in rules) else [{"when": "never"}]


def _by_hand_or_clock(pipeline: Pipeline, own: Occasions) -> Iterator[Rule]:
    """First of all: such a run is one of a branch too, and must not be taken for a push to it."""
    events = pipeline.on
    for there, condition, wanted in (
        (bool(events.schedules), SCHEDULE, own.scheduled),
        (events.manual is not None, MANUAL, own.manual),
    ):
        if there:
            yield {"if": condition} | ({} if wanted else {"when": "never"})


def _when(job: Job) -> str | None:
    if job.environment and job.environment.approval:
        return "manual"
    return {"success": None, "failure": "on_failure", "always": "always"}[job.when]


def _with_when(job: Job, rules: list[Rule]) -> list[Rule]:
    when = _when(job)
    return [rule | {"when": when} if when and _runs(rule) else rule for rule in rules]


def _runs(rule: Rule) -> bool:
    return rule.get("when") != "never"


def _where(pipeline: Pipeline, own_file: str) -> dict[str, Any]:
    if not pipeline.in_a_folder:
        return {}
    return {"paths": [*(f"{folder}/**/*" for folder in (pipeline.path, *pipeline.also)), own_file]}


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


def _of_refs(own: Occasions) -> list[Rule]:
    branches = [{"if": _condition("CI_COMMIT_BRANCH", pattern)} for pattern in own.branches]
    return branches + [{"if": _condition("CI_COMMIT_TAG", pattern)} for pattern in own.tags]


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
