"""What stands below a job's name in GitLab's words, but for when and after what it runs. Pure."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.pipelines.model import FORGE_TOKEN, Artefacts, Cache, Events, Job, Reports, Service, store_name
from bot.pipelines.text import block


def body(job: Job) -> dict[str, Any]:
    """Where it runs, what, and what becomes of it."""
    made: dict[str, Any] = _place(job)
    made["script"] = [command(step) for step in job.steps]
    if job.after:
        made["after_script"] = [command(step) for step in job.after]
    if job.coverage:
        made["coverage"] = f"/{_unslashed(job.coverage)}/"
    if job.artefacts or job.reports:
        made["artifacts"] = _artifacts(job.artefacts, job.reports)
    made["timeout"] = f"{job.timeout} seconds"
    if job.retries:
        made["retry"] = job.retries
    if job.allow_failure:
        made["allow_failure"] = True
    return made | _deployment(job)


def command(step: str) -> str:
    """One entry of `script`."""
    return block(step.rstrip() + "\n") if "\n" in step.strip() else step.strip()


def variables(given: dict[str, str]) -> dict[str, Any]:
    """Always quoted, so that `1.10` and `yes` stay texts; `$$` is a dollar sign to GitLab."""
    return {name: Quoted(value.replace("$", "$$")) for name, value in given.items()}


def inputs(events: Events) -> dict[str, Any]:
    """What GitLab asks whoever runs the pipeline by hand."""
    asked: dict[str, Any] = {}
    for name, one in (events.manual.inputs if events.manual else {}).items():
        options = one.options or (("true", "false") if one.kind == "boolean" else ())
        asked[name] = {"value": Quoted(one.default)}
        asked[name] |= {"description": Quoted(one.description)} if one.description else {}
        asked[name] |= {"options": [Quoted(option) for option in options]} if options else {}
    return asked


def defaults(events: Events) -> dict[str, Any]:
    """The same where GitLab asks nothing: what a person gives goes before it."""
    given = events.manual.inputs if events.manual else {}
    return {name: Quoted(one.default) for name, one in given.items()}


def secrets(job: Job) -> dict[str, Any]:
    """References to the project's variables. One of the very name is there already."""
    spelt = {
        name: "CI_JOB_TOKEN" if reference == FORGE_TOKEN else store_name(reference)
        for name, reference in job.secrets.items()
    }
    return {name: f"${store}" for name, store in spelt.items() if name != store}


def _place(job: Job) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if job.matrix:
        axes = {name: [Quoted(value) for value in values] for name, values in job.matrix.items()}
        made["parallel"] = {"matrix": [axes]}
    if job.container:
        made["image"] = job.container.image or f"${job.container.axis}"
    if job.services:
        made["services"] = [_service(service) for service in job.services]
    if job.caches:
        made["cache"] = [_cache(cache) for cache in job.caches]
    if job.identity:
        made["id_tokens"] = {"IDENTITY_TOKEN": {"aud": job.identity.audience}}
    return made


def _service(service: Service) -> dict[str, Any]:
    own = {"variables": variables(service.variables)} if service.variables else {}
    return {"name": service.image, "alias": service.name, **own}


def _cache(cache: Cache) -> dict[str, Any]:
    return {"key": {"files": list(cache.keys), "prefix": cache.name}, "paths": list(cache.paths)}


def _deployment(job: Job) -> dict[str, Any]:
    if job.environment is None:
        return {}
    url = {"url": job.environment.url} if job.environment.url else {}
    return {"environment": {"name": job.environment.name, **url}, "resource_group": job.environment.name}


def _unslashed(pattern: str) -> str:
    """GitLab ends a pattern at the first bare slash."""
    return re.sub(r"\\.|/", lambda found: "\\/" if found[0] == "/" else found[0], pattern)


def _artifacts(artefacts: Artefacts | None, reports: Reports | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if artefacts:
        made["paths"] = list(artefacts.paths)
        if artefacts.always:
            made["when"] = "always"
    if reports:
        named: dict[str, Any] = {}
        if reports.junit:
            named["junit"] = reports.junit
        if reports.cobertura:
            named["coverage_report"] = {"coverage_format": "cobertura", "path": reports.cobertura}
        made["reports"] = named
    return made
