"""One job of a workflow: when, where and with which rights it runs. Pure."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.pipelines import expressing, github_steps
from bot.pipelines.github_steps import literal
from bot.pipelines.model import Job, Occasions, Pipeline

SYSTEM = "GitHub Actions"
MACHINE = "ubuntu-24.04"
RIGHTS = {
    "contents": "contents",
    "packages": "packages",
    "changes": "pull-requests",
    "security": "security-events",
    "deployments": "deployments",
}


def job(pipeline: Pipeline, one: Job) -> dict[str, Any]:
    """What stands below the job's name. Raises CannotWrite."""
    body: dict[str, Any] = {}
    before = pipeline.before(one)
    if before:
        body["needs"] = [other.name for other in before]
    if condition := _condition(pipeline, one):
        body["if"] = f"${{{{ {condition} }}}}"
    body["runs-on"] = MACHINE
    body["timeout-minutes"] = expressing.minutes(one)
    if one.allow_failure:
        body["continue-on-error"] = True
    body |= _deployment(one) | _place(one)
    body["permissions"] = _rights(one)
    body["env"] = _environment(pipeline, one)
    body["steps"] = github_steps.of(pipeline, one)
    return body


def _rights(one: Job) -> dict[str, str]:
    asked: dict[str, str] = {RIGHTS[name]: right for name, right in one.permissions.items()}
    return {"contents": "read", **asked} | ({"id-token": "write"} if one.identity else {})


def _environment(pipeline: Pipeline, one: Job) -> dict[str, Any]:
    """Constants, then what GitHub fills in: only ever as values, which no shell reads as commands."""
    found: dict[str, Any] = {name: Quoted(literal(value)) for name, value in pipeline.constants(one).items()}
    for name in one.matrix:
        found[name] = f"${{{{ matrix.{name} }}}}"
    for name, asked in (pipeline.on.manual.inputs if pipeline.on.manual else {}).items():
        # A boolean that is false would count as none given, its text does not.
        given = f"github.event_name == 'workflow_dispatch' && format('{{0}}', inputs.{name})"
        found[name] = f"${{{{ {given} || '{asked.default}' }}}}"
    return found


def _deployment(one: Job) -> dict[str, Any]:
    if one.environment is None:
        return {}
    url = {"url": one.environment.url} if one.environment.url else {}
    turns = {"group": f"deploy-{one.environment.name}", "cancel-in-progress": False}
    return {"environment": {"name": one.environment.name, **url}, "concurrency": turns}


def _place(one: Job) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if one.matrix:
        axes = {name: [Quoted(value) for value in values] for name, values in one.matrix.items()}
        # Elsewhere one combination that fails does not stop the others.
        made["strategy"] = {"fail-fast": False, "matrix": axes}
    if one.container:
        made["container"] = {"image": one.container.image or f"${{{{ matrix.{one.container.axis} }}}}"}
    if one.services:
        made["services"] = {
            service.name: {"image": service.image} | _variables(service.variables) for service in one.services
        }
    return made


def _variables(given: dict[str, str]) -> dict[str, Any]:
    return {"env": {name: Quoted(literal(value)) for name, value in given.items()}} if given else {}


def _condition(pipeline: Pipeline, one: Job) -> str:
    parts = []
    if one.when != "success":
        parts.append({"failure": "failure()", "always": "!cancelled()"}[one.when])
    elif expressing.may_miss(pipeline, one):
        parts.append("!failure() && !cancelled()")
    events = expressing.narrowed(pipeline, one)
    if events is not None:
        told = _events(pipeline, events)
        parts.append(told[0] if len(told) == 1 else f"({' || '.join(told)})")
    return " && ".join(parts)


def _events(pipeline: Pipeline, events: Occasions) -> list[str]:
    found = ["github.event_name == 'pull_request'"] if events.changes else []
    found += ["github.event_name == 'schedule'"] if events.scheduled else []
    found += ["github.event_name == 'workflow_dispatch'"] if events.manual else []
    refs = [_of_ref("branch", name) for name in events.branches] + [_of_ref("tag", n) for n in events.tags]
    if refs and not pipeline.on.only_pushes:
        # A run that a person or the clock starts is one of a branch too.
        return [*found, f"(github.event_name == 'push' && ({' || '.join(refs)}))"]
    return found + refs


def _of_ref(kind: str, pattern: str) -> str:
    folder = "refs/heads/" if kind == "branch" else "refs/tags/"
    beginning = expressing.prefix(pattern, SYSTEM)
    if beginning is None:
        return f"github.ref == '{folder}{pattern}'"
    return f"startsWith(github.ref, '{folder}{beginning}')"
