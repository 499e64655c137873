"""Pipeline and event to an ordered graph of jobs. Pure.

Who is in: the first rule that holds decides; a job without rules is in for branches and tags, and for a
change only when the file has `workflow:rules` (GitLab's default of `only: [branches, tags]` falls away then).
Who waits for whom: a job with `needs` for those, any other for all jobs of earlier stages.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from bot.forges.local.runner import rules
from bot.forges.local.runner.errors import PipelineError
from bot.forges.local.runner.model import Job, JobWhen, Pipeline, Rule, WorkflowRule
from bot.forges.local.runner.variables import RunContext, expand, predefined


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


def plan(pipeline: Pipeline, context: RunContext) -> Plan:
    """Choose and order the jobs for an event. Raises PipelineError when a job needs one that is left out."""
    given = {**predefined(context), **pipeline.variables}
    workflow = _workflow(pipeline, given | context.variables)
    if workflow is None:
        return Plan(jobs=(), context=context, reason="`workflow:rules` leave this event out")
    given |= workflow.variables
    chosen = {}
    for name, job in pipeline.jobs.items():
        planned = _choose(name, job, given, context, open_to_changes=pipeline.workflow is not None)
        if planned is not None:
            chosen[name] = planned
    if not chosen:
        return Plan(jobs=(), context=context, reason="no job is for this event")
    linked = {name: _linked(planned, chosen, pipeline) for name, planned in chosen.items()}
    return Plan(jobs=_ordered(linked, pipeline), context=context)


def _workflow(pipeline: Pipeline, variables: Mapping[str, str]) -> WorkflowRule | None:
    if pipeline.workflow is None:
        return WorkflowRule()
    known = expand(variables)
    rule = next((rule for rule in pipeline.workflow.rules if _holds(rule, known)), None)
    return rule if rule is not None and rule.when == "always" else None


def _choose(
    name: str, job: Job, given: Mapping[str, str], context: RunContext, *, open_to_changes: bool
) -> PlannedJob | None:
    variables = {**given, **job.variables}
    if job.rules is None:
        if context.change is not None and not open_to_changes:
            return None
        return PlannedJob(
            name=name,
            job=job,
            when=job.when,
            allow_failure=job.failure_allowed,
            variables=variables | context.variables,
        )
    known = expand(variables | context.variables)
    rule = next((rule for rule in job.rules if _holds(rule, known)), None)
    when = (rule.when or job.when) if rule is not None else "never"
    if rule is None or when == "never":
        return None
    allowed = rule.allow_failure if rule.allow_failure is not None else bool(job.allow_failure)
    return PlannedJob(
        name=name,
        job=job,
        when=when,
        allow_failure=allowed,
        variables={**variables, **rule.variables, **context.variables},
    )


def _holds(rule: Rule | WorkflowRule, variables: Mapping[str, str]) -> bool:
    return rule.if_ is None or rules.holds(rules.read(rule.if_), variables)


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
            line, column = pipeline.places.get(planned.name, (0, 0))
            raise PipelineError(
                f"job `{planned.name}` needs `{need.job}`, which the rules leave out for this event",
                line=line,
                column=column,
                suggestion="give both the same rules, or write `optional: true`",
            )
    present = [need for need in planned.job.needs if need.job in chosen]
    return planned.model_copy(
        update={
            "waits_for": tuple(need.job for need in present),
            "by_needs": True,
            "files_from": tuple(need.job for need in present if need.artifacts),
        }
    )


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
