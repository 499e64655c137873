"""A neutral pipeline for Azure Pipelines. Pure and deterministic.

Jobs stand in stages when none names what it needs or looks for failures; otherwise all stand in one, as
Azure's `dependsOn` does not reach into another stage. Variables are handed to a command as its environment:
Azure would write pipeline variables in capitals. All commands of a job are one shell, as in every other
system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.messages import pipelines as say
from bot.pipelines import azure_jobs, expressing
from bot.pipelines.azure_jobs import UNLESS_FAILED
from bot.pipelines.azure_steps import SYSTEM
from bot.pipelines.model import FORGE_TOKEN, Events, ManualInput, Pipeline, vault_name
from bot.pipelines.text import OURS, heading, text_of
from bot.pipelines.written import CannotWrite, There, Written

FILE = "azure-pipelines.yml"
FOLDER = ".azure-pipelines"
MACHINE = "ubuntu-24.04"


def file_of(pipeline: Pipeline) -> str:
    """The file of one of several modules."""
    return f"{FOLDER}/pointsman-{pipeline.module}.yml"


def is_ours(path: str) -> bool:
    """Whether a file of this name is a pipeline that is generated here."""
    return path == FILE or bool(re.fullmatch(rf"{re.escape(FOLDER)}/pointsman-[a-z0-9-]+\.yml", path))


def reads(pipeline: Pipeline) -> tuple[str, ...]:
    """The files that `written` must see."""
    return (FILE, file_of(pipeline))


def written(pipeline: Pipeline, there: There) -> Written:
    """The file of this module; a person's own `azure-pipelines.yml` stays. Raises CannotWrite."""
    root, path = there.get(FILE), file_of(pipeline)
    if not pipeline.in_a_folder and (root is None or root.startswith(OURS)):
        path = FILE
    mine = there.get(path)
    if mine is not None and not mine.startswith(OURS):
        raise CannotWrite(say.file_in_the_way(path))
    names = {job.name: job.name for job in pipeline.jobs}
    return Written(path, {path: render(pipeline, path)}, names, tuple(_notes(pipeline)))


def _notes(pipeline: Pipeline) -> Iterator[str]:
    yield from expressing.rounded(pipeline)
    if pipeline.on.changes:
        yield say.changes_by_policy(SYSTEM)
    single = [name for name in (*pipeline.on.branches, *pipeline.on.tags) if "*" in name.replace("**", "")]
    if single:
        yield say.star_is_slash(single, SYSTEM)
    if _flat(pipeline):
        yield say.no_stages(SYSTEM)
    if any(job.coverage for job in pipeline.jobs):
        yield say.coverage_by_report(SYSTEM)
    if asked := expressing.environments(pipeline, approval=True):
        yield say.approval_to_make(asked, SYSTEM)
    if deployed := expressing.environments(pipeline):
        yield say.lock_to_make(deployed, SYSTEM)
    yield from expressing.rights(pipeline, SYSTEM)
    store = f"the vault {pipeline.vault.name}" if pipeline.vault else f"the variable group {_group(pipeline)}"
    yield from expressing.secrets(pipeline, vault_name, store)


def render(pipeline: Pipeline, path: str = FILE) -> str:
    """The file's text; `path` is where it will lie. Raises CannotWrite."""
    document = _triggers(pipeline, path) | {"pool": {"vmImage": MACHINE}}
    document |= _parameters(pipeline.on) | _shared(pipeline)
    if expressing.environments(pipeline):
        document["lockBehavior"] = "sequential"
    if _flat(pipeline):
        document["jobs"] = [azure_jobs.job(pipeline, job, depends=True) for job in pipeline.jobs]
    else:
        document["stages"] = [_stage(pipeline, stage) for stage in pipeline.stages]
    return heading(pipeline) + text_of(document)


def _flat(pipeline: Pipeline) -> bool:
    return any(job.needs is not None or job.when != "success" for job in pipeline.jobs)


def _triggers(pipeline: Pipeline, path: str) -> dict[str, Any]:
    folders = [pipeline.path, *pipeline.also, path]
    where = {"paths": {"include": folders}} if pipeline.in_a_folder else {}
    events = pipeline.on
    refs = {"branches": events.branches, "tags": events.tags}
    pushed = {name: {"include": _names(names)} for name, names in refs.items() if names}
    found = {
        "trigger": (pushed | where) if pushed else "none",
        "pr": ({"branches": {"include": [Quoted("*")]}} | where) if events.changes else "none",
    }
    return found | ({"schedules": _schedules(events)} if events.schedules else {})


def _names(patterns: tuple[str, ...]) -> list[str]:
    return [Quoted(pattern.replace("**", "*")) for pattern in patterns]


def _schedules(events: Events) -> list[dict[str, Any]]:
    # `always`: also when nothing has changed since the last time, as elsewhere.
    return [
        {"cron": Quoted(one.cron), "branches": {"include": [Quoted(one.branch)]}, "always": Quoted("true")}
        for one in events.schedules
    ]


def _parameters(events: Events) -> dict[str, Any]:
    asked = events.manual.inputs if events.manual else {}
    return {"parameters": [_parameter(name, one) for name, one in asked.items()]} if asked else {}


def _parameter(name: str, one: ManualInput) -> dict[str, Any]:
    if one.kind == "text":
        raise CannotWrite(say.text_is_read(name, SYSTEM))
    shown = {"displayName": Quoted(one.description)} if one.description else {}
    if one.kind == "boolean":
        return {"name": name, **shown, "type": "boolean", "default": Quoted(one.default)}
    values = [Quoted(option) for option in one.options]
    return {"name": name, **shown, "type": "string", "default": Quoted(one.default), "values": values}


def _shared(pipeline: Pipeline) -> dict[str, Any]:
    """Where secrets come from, and the containers that stand beside jobs: Azure wants both at the top."""
    made: dict[str, Any] = {}
    stored = {ref for job in pipeline.jobs for ref in job.secrets.values()} - {FORGE_TOKEN}
    if stored and pipeline.vault is None:
        made["variables"] = [{"group": _group(pipeline)}]
    containers = [azure_jobs.beside(job, service) for job in pipeline.jobs for service in job.services]
    return made | ({"resources": {"containers": containers}} if containers else {})


def _group(pipeline: Pipeline) -> str:
    return f"pointsman-{pipeline.module}"


def _stage(pipeline: Pipeline, stage: str) -> dict[str, Any]:
    earlier = list(pipeline.stages[: pipeline.stages.index(stage)])
    jobs = [job for job in pipeline.jobs if job.stage == stage]
    body: dict[str, Any] = {"stage": stage, "dependsOn": earlier}
    if any(expressing.may_miss(pipeline, job) for job in jobs):
        body["condition"] = f"and({UNLESS_FAILED})"
    return body | {"jobs": [azure_jobs.job(pipeline, job, depends=False) for job in jobs]}
