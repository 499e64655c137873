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
<<<<<<< HEAD
        body["condition"] = f"and({UNLESS_FAILED})"
    return body | {"jobs": [azure_jobs.job(pipeline, job, depends=False) for job in jobs]}
=======
        body["condition"] = f"and({_UNLESS_FAILED})"
    return body | {"jobs": [_job(pipeline, job, depends=False) for job in jobs]}


def _job(pipeline: Pipeline, job: Job, *, depends: bool) -> dict[str, Any]:
    before = pipeline.before(job)
    body: dict[str, Any] = {"job": _id(job), "displayName": job.name}
    if depends:
        body["dependsOn"] = [_id(other) for other in before]
    if condition := _condition(pipeline, job, depends=depends):
        body["condition"] = condition
    body["timeoutInMinutes"] = Quoted(str(expressing.minutes(job)))
    if job.allow_failure:
        body["continueOnError"] = Quoted("true")
    # Two deep: the commit that a change's merge is made of has to be there.
    checkout = {"checkout": "self", "fetchDepth": Quoted("2"), "persistCredentials": Quoted("false")}
    body["steps"] = [
        checkout,
        *(_download(o, job) for o in before if o.artefacts),
        _script(pipeline, job),
        *_kept(job),
    ]
    return body


def _id(job: Job) -> str:
    """Azure's ids have no hyphens; ours have no underscores."""
    return job.name.replace("-", "_")


def _script(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    commands = "".join(f"{_checked(job, step.rstrip())}\n" for step in job.steps)
    made = f'mkdir -p "$BUILD_ARTIFACTSTAGINGDIRECTORY/{job.name}"\n' if job.artefacts else ""
    variables = {**pipeline.variables, **job.variables, "moduleId": pipeline.module}
    return {
        "bash": block(f"set -eo pipefail\n{made}{METADATA}{commands}"),
        "displayName": job.name,
        "env": {name: Quoted(_checked(job, value)) for name, value in variables.items()},
    }


def _checked(job: Job, text: str) -> str:
    """Azure replaces `$(name)` in what it reads, with no way to say that it shall not; `${{` has one."""
    found = _MACRO.search(text)
    if found or text.startswith("$["):
        shown = found[0] if found else "$["
        raise CannotWrite(f"job {job.name}: {SYSTEM} would read `{shown}` as a variable of its own")
    return text.replace("${{", "${{ '${{' }}")


def _condition(pipeline: Pipeline, job: Job, *, depends: bool) -> str:
    events = expressing.narrowed(pipeline, job)
    missing = depends and expressing.may_miss(pipeline, job)
    if events is None:
        return f"and({_UNLESS_FAILED})" if missing else ""
    told = _events(events)
    either = told[0] if len(told) == 1 else f"or({', '.join(told)})"
    return f"and({_UNLESS_FAILED if missing else 'succeeded()'}, {either})"


def _events(events: Events) -> list[str]:
    found = ["eq(variables['Build.Reason'], 'PullRequest')"] if events.changes else []
    for folder, patterns in (("refs/heads/", events.branches), ("refs/tags/", events.tags)):
        for pattern in patterns:
            beginning = expressing.prefix(pattern, SYSTEM)
            test, name = ("eq", pattern) if beginning is None else ("startsWith", beginning)
            found.append(f"{test}(variables['Build.SourceBranch'], '{folder}{name}')")
    return found


def _download(other: Job, job: Job) -> dict[str, Any]:
    given = {"artifactName": other.name, "targetPath": "$(Build.SourcesDirectory)"}
    step: dict[str, Any] = {"task": "DownloadPipelineArtifact@2", "inputs": given}
    return step | ({"continueOnError": True} if other.on is not None and other.on != job.on else {})


def _kept(job: Job) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if job.artefacts:
        always = {"condition": "succeededOrFailed()"} if job.artefacts.always else {}
        steps += [step | always for step in _artefacts(job.name, job.artefacts.paths)]
    return steps + (_reports(job.name, job.reports) if job.reports else [])


def _artefacts(name: str, paths: tuple[str, ...]) -> list[dict[str, Any]]:
    """A folder's name means all that is in it."""
    patterns = [line for path in paths for line in (path.rstrip("/"), f"{path.rstrip('/')}/**")]
    given = {
        "Contents": block("".join(f"{line}\n" for line in patterns)),
        "TargetFolder": f"{STAGING}/{name}",
    }
    return [
        {"task": "CopyFiles@2", "inputs": given},
        {
            "task": "PublishPipelineArtifact@1",
            "inputs": {"targetPath": f"{STAGING}/{name}", "artifact": name},
        },
    ]


def _reports(name: str, reports: Reports) -> list[dict[str, Any]]:
    """Shown by the forge, and kept as files: what it shows cannot be read back as it was written."""
    steps: list[dict[str, Any]] = []
    if reports.junit:
        given = {"testResultsFormat": "JUnit", "testResultsFiles": reports.junit}
        steps.append({"task": "PublishTestResults@2", "condition": "succeededOrFailed()", "inputs": given})
    if reports.cobertura:
        given = {"summaryFileLocation": reports.cobertura}
        steps.append(
            {"task": "PublishCodeCoverageResults@2", "condition": "succeededOrFailed()", "inputs": given}
        )
    paths = tuple(path for path in (reports.junit, reports.cobertura) if path)
    # A job that broke before it wrote its reports has failed for that, not for these steps.
    kept = {"condition": "succeededOrFailed()", "continueOnError": True}
    return steps + [step | kept for step in _artefacts(f"{name}-reports", paths)]
>>>>>>> wave-azure
