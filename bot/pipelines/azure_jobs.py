"""One job of Azure Pipelines: when and where it runs; one with an environment is a deployment. Pure."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.pipelines import azure_steps, expressing
from bot.pipelines.azure_steps import SYSTEM, checked
from bot.pipelines.model import Job, Occasions, Pipeline, Service

UNLESS_FAILED = "not(failed()), not(canceled())"
_OUTCOME = {"success": "succeeded()", "failure": "failed()", "always": "not(canceled())"}


def job(pipeline: Pipeline, one: Job, *, depends: bool) -> dict[str, Any]:
    """A job; `depends` says whether it names those that it waits for. Raises CannotWrite."""
    kind = "deployment" if one.environment else "job"
    body: dict[str, Any] = {kind: _id(one.name), "displayName": one.name}
    if depends:
        body["dependsOn"] = [_id(other.name) for other in pipeline.before(one)]
    if condition := _condition(pipeline, one, depends=depends):
        body["condition"] = condition
    body["timeoutInMinutes"] = Quoted(str(expressing.minutes(one)))
    if one.allow_failure:
        body["continueOnError"] = Quoted("true")
    body |= _place(one)
    steps = azure_steps.of(pipeline, one)
    if one.environment:
        strategy = {"runOnce": {"deploy": {"steps": [{"download": "none"}, *steps]}}}
        return body | {"environment": one.environment.name, "strategy": strategy}
    return body | {"steps": steps}


def beside(one: Job, service: Service) -> dict[str, Any]:
    """The container of a service, as `resources` names it. Raises CannotWrite."""
    env = {name: Quoted(checked(one, value)) for name, value in service.variables.items()}
    made: dict[str, Any] = {"container": _alias(one, service), "image": service.image}
    return made | ({"env": env} if env else {})


def _alias(one: Job, service: Service) -> str:
    return f"{_id(one.name)}_{_id(service.name)}"


def _id(name: str) -> str:
    """Azure's ids have no hyphens; our names have no underscores."""
    return name.replace("-", "_")


def _place(one: Job) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if one.matrix:
        combined = {f"v{at}_{_told(values)}": values for at, values in enumerate(one.combinations, 1)}
        quoted = {
            name: {axis: Quoted(value) for axis, value in values.items()} for name, values in combined.items()
        }
        made["strategy"] = {"matrix": quoted}
    if one.container:
        made["container"] = one.container.image or f"$[ variables['{one.container.axis}'] ]"
    if one.services:
        made["services"] = {service.name: _alias(one, service) for service in one.services}
    return made


def _told(values: dict[str, str]) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(values.values()))[:60]


def _condition(pipeline: Pipeline, one: Job, *, depends: bool) -> str:
    events = expressing.narrowed(pipeline, one)
    outcome = _OUTCOME[one.when]
    if one.when == "success" and depends and expressing.may_miss(pipeline, one):
        outcome = UNLESS_FAILED
    if events is None:
        return "" if outcome == "succeeded()" else f"and({outcome})" if "," in outcome else outcome
    told = _events(pipeline, events)
    either = told[0] if len(told) == 1 else f"or({', '.join(told)})"
    return f"and({outcome}, {either})"


def _events(pipeline: Pipeline, events: Occasions) -> list[str]:
    reasons = {"PullRequest": events.changes, "Schedule": events.scheduled, "Manual": events.manual}
    found = [f"eq(variables['Build.Reason'], '{reason}')" for reason, meant in reasons.items() if meant]
    refs = [
        _of_ref(folder, pattern)
        for folder, patterns in (("refs/heads/", events.branches), ("refs/tags/", events.tags))
        for pattern in patterns
    ]
    if not refs or pipeline.on.only_pushes:
        return found + refs
    # A run that a person or the clock starts is one of a branch too.
    either = refs[0] if len(refs) == 1 else f"or({', '.join(refs)})"
    return [*found, f"and(in(variables['Build.Reason'], 'IndividualCI', 'BatchedCI'), {either})"]


def _of_ref(folder: str, pattern: str) -> str:
    beginning = expressing.prefix(pattern, SYSTEM)
    test, name = ("eq", pattern) if beginning is None else ("startsWith", beginning)
    return f"{test}(variables['Build.SourceBranch'], '{folder}{name}')"
