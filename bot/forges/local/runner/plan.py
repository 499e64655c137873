"""Pipeline and event to an ordered graph of jobs. Pure, but for what `changed` reads.

Who is in: the first rule that holds decides; a job without rules is in for branches and tags, and for a
change only when the file has `workflow:rules` (GitLab's default of `only: [branches, tags]` falls away then).
Who waits for whom: a job with `needs` for those, any other for all jobs of earlier stages.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from bot.forges.local.runner import changes, rules
from bot.forges.local.runner.changes import Changed
from bot.forges.local.runner.errors import PipelineError
from bot.forges.local.runner.model import Job, JobWhen, Pipeline, Rule, WorkflowRule
from bot.forges.local.runner.variables import RunContext, expand, expand_text, predefined


class PlannedJob(BaseModel):
    """A job that takes part. `variables` are not expanded yet: some are known only when it starts.

    `waits_for` are jobs that must have ended; `by_needs` tells that they come from `needs`; `files_from` are
    jobs whose artefacts it gets. All name jobs of the same plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    job: Job
    when: JobWhen
    allow_failure: bool
    variables: dict[str, str]
    waits_for: tuple[str, ...] = ()
    by_needs: bool = False
    files_from: tuple[str, ...] = ()


class Plan(BaseModel):
    """`jobs` in an order in which each follows what it waits for. `reason` says why there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jobs: tuple[PlannedJob, ...]
    context: RunContext
    reason: str = ""


def plan(pipeline: Pipeline, context: RunContext, changed: Changed = changes.unknown) -> Plan:
    """Choose and order the jobs for an event. Raises PipelineError when a job needs one that is left out."""
    chosen, reason = _chosen(pipeline, context, changed)
    if not chosen:
        return Plan(jobs=(), context=context, reason=reason)
    linked = {name: _linked(planned, chosen, pipeline) for name, planned in chosen.items()}
    return Plan(jobs=_ordered(linked, pipeline), context=context)


def _chosen(pipeline: Pipeline, context: RunContext, changed: Changed) -> tuple[dict[str, PlannedJob], str]:
    """The jobs that take part, or the reason why none does."""
    given = {**predefined(context), **pipeline.variables}
    workflow = _workflow(pipeline, given | context.variables)
    if workflow is None:
        return {}, "`workflow:rules` leave this event out"
    given |= workflow.variables
    event = _Event(given, context, changed, open_to_changes=pipeline.workflow is not None)
    chosen: dict[str, PlannedJob] = {}
    for name, job in pipeline.jobs.items():
        try:
            planned = _choose(name, job, event)
        except LookupError as error:
            message = f"job `{name}`: `compare_to` names {error}, which is no branch, tag or commit"
            raise _wrong(pipeline, name, message, "correct it") from error
        if planned is not None:
            chosen[name] = planned
    return chosen, "no job is for this event"


class _Event(NamedTuple):
    """What rules are held against. `given` are the variables that all jobs have."""

    given: Mapping[str, str]
    context: RunContext
    changed: Changed
    open_to_changes: bool


def _workflow(pipeline: Pipeline, variables: Mapping[str, str]) -> WorkflowRule | None:
    if pipeline.workflow is None:
        return WorkflowRule()
    known = expand(variables)
    rule = next((rule for rule in pipeline.workflow.rules if _applies(rule.if_, known)), None)
    return rule if rule is not None and rule.when == "always" else None


def _choose(name: str, job: Job, event: _Event) -> PlannedJob | None:
    variables, context = {**event.given, **job.variables}, event.context
    if job.rules is None:
        if context.change is not None and not event.open_to_changes:
            return None
        return PlannedJob(
            name=name,
            job=job,
            when=job.when,
            allow_failure=job.failure_allowed,
            variables=variables | _scoped(job, variables, context) | context.variables,
        )
    known = expand(variables | context.variables)
    rule = next((rule for rule in job.rules if _holds(rule, known, event.changed)), None)
    when = (rule.when or job.when) if rule is not None else "never"
    if rule is None or when == "never":
        return None
    allowed = rule.allow_failure if rule.allow_failure is not None else bool(job.allow_failure)
    return PlannedJob(
        name=name,
        job=job,
        when=when,
        allow_failure=allowed,
        variables={
            **variables,
            **rule.variables,
            **_scoped(job, variables | rule.variables, context),
            **context.variables,
        },
    )


def _scoped(job: Job, variables: Mapping[str, str], context: RunContext) -> dict[str, str]:
    """What a job gets of its environment. Values are data: a dollar sign in them refers to nothing."""
    if job.environment is None:
        return {}
    name = expand_text(job.environment.name, expand({**variables, **context.variables}))
    told = {key: value.replace("$", "$$") for key, value in context.environments.get(name, {}).items()}
    return {"CI_ENVIRONMENT_NAME": name, **told}


def _applies(condition: str | None, variables: Mapping[str, str]) -> bool:
    return condition is None or rules.holds(rules.read(condition), variables)


def _holds(rule: Rule, variables: Mapping[str, str], changed: Changed) -> bool:
    if not _applies(rule.if_, variables):
        return False
    if rule.changes is None:
        return True
    globs = [expand_text(glob, variables) for glob in rule.changes.paths]
    compare_to = rule.changes.compare_to
    return changes.matches(globs, changed(expand_text(compare_to, variables) if compare_to else None))


def _linked(planned: PlannedJob, chosen: Mapping[str, PlannedJob], pipeline: Pipeline) -> PlannedJob:
    if planned.job.needs is None:
        stages = pipeline.all_stages
        earlier = tuple(
            name
            for name, other in chosen.items()
            if stages.index(other.job.stage) < stages.index(planned.job.stage)
        )
        return planned.model_copy(update={"waits_for": earlier, "files_from": earlier})
    for need in planned.job.needs:
        if need.job not in chosen and not need.optional:
            message = f"job `{planned.name}` needs `{need.job}`, which the rules leave out for this event"
            advice = "give both the same rules, or write `optional: true`"
            raise _wrong(pipeline, planned.name, message, advice)
    present = [need for need in planned.job.needs if need.job in chosen]
    return planned.model_copy(
        update={
            "waits_for": tuple(need.job for need in present),
            "by_needs": True,
            "files_from": tuple(need.job for need in present if need.artifacts),
        }
    )


def _wrong(pipeline: Pipeline, job: str, message: str, suggestion: str) -> PipelineError:
    line, column = pipeline.places.get(job, (0, 0))
    file = pipeline.origins.get(job, "")
    return PipelineError(message, line=line, column=column, suggestion=suggestion, file=file)


def _ordered(chosen: Mapping[str, PlannedJob], pipeline: Pipeline) -> tuple[PlannedJob, ...]:
    """By what waits for what; among equals by stage, then by the order of the file."""
    stages, file_order = pipeline.all_stages, list(chosen)
    sorter = graphlib.TopologicalSorter({name: planned.waits_for for name, planned in chosen.items()})
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(
            sorter.get_ready(),
            key=lambda name: (stages.index(chosen[name].job.stage), file_order.index(name)),
        )
        order += ready
        sorter.done(*ready)
    return tuple(chosen[name] for name in order)
