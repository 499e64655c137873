"""A neutral pipeline for Azure Pipelines. Pure and deterministic.

Jobs stand in stages when none names what it needs; otherwise all stand in one, as Azure's `dependsOn` does
not reach into another stage. Variables are handed to a command as its environment:
Azure would write pipeline variables in capitals. All commands of a job are one shell, as in every other
system.
"""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.pipelines import expressing, metadata
from bot.pipelines.model import Events, Job, Pipeline, Reports
from bot.pipelines.text import OURS, block, heading, text_of
from bot.pipelines.written import CannotWrite, There, Written

FILE = "azure-pipelines.yml"
FOLDER = ".azure-pipelines"
MACHINE = "ubuntu-24.04"
SYSTEM = "Azure Pipelines"
STAGING = "$(Build.ArtifactStagingDirectory)"
# Of a change Azure checks out a merge that nobody ever sees; what it is of is beside it, one commit down.
_FROM_GIT = (
    'REVISION="$(git rev-parse "${SYSTEM_PULLREQUEST_SOURCECOMMITID:-HEAD}")"\n'
    'COMMIT_MESSAGE="$(git log -1 --format=%B "$REVISION")"\n'
)
METADATA = _FROM_GIT + metadata.shell(message="COMMIT_MESSAGE", revision="REVISION")
_UNLESS_FAILED = "not(failed()), not(canceled())"
# https://learn.microsoft.com/azure/devops/pipelines/process/variables#understand-variable-syntax
_MACRO = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_.]*\)")


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
        raise CannotWrite(f"`{path}` is there and is not ours: move it, or give the module another name.")
    names = {job.name: job.name for job in pipeline.jobs}
    return Written(path, {path: render(pipeline, path)}, names, _notes(pipeline))


def _notes(pipeline: Pipeline) -> tuple[str, ...]:
    notes = list(expressing.rounded(pipeline))
    if pipeline.on.changes:
        notes.append(
            f"{SYSTEM} runs for changes of Azure Repos by a branch policy (build validation), not by `pr`"
        )
    single = [name for name in (*pipeline.on.branches, *pipeline.on.tags) if "*" in name.replace("**", "")]
    if single:
        notes.append(f"in {SYSTEM} `*` of {', '.join(single)} is also `/`")
    if any(job.needs is not None for job in pipeline.jobs):
        notes.append(f"{SYSTEM} shows no stages: jobs name what they need, and that may be in another stage")
    if any(job.coverage for job in pipeline.jobs):
        notes.append(f"{SYSTEM} reads no coverage from a log; publish a Cobertura report")
    return tuple(notes)


def render(pipeline: Pipeline, path: str = FILE) -> str:
    """The file's text; `path` is where it will lie."""
    document = _triggers(pipeline, path) | {"pool": {"vmImage": MACHINE}}
    if any(job.needs is not None for job in pipeline.jobs):
        document["jobs"] = [_job(pipeline, job, depends=True) for job in pipeline.jobs]
    else:
        document["stages"] = [_stage(pipeline, stage) for stage in pipeline.stages]
    return heading(pipeline) + text_of(document)


def _triggers(pipeline: Pipeline, path: str) -> dict[str, Any]:
    where = {"paths": {"include": [pipeline.path, path]}} if pipeline.in_a_folder else {}
    events = pipeline.on
    refs = {"branches": events.branches, "tags": events.tags}
    pushed = {name: {"include": _names(names)} for name, names in refs.items() if names}
    return {
        "trigger": (pushed | where) if pushed else "none",
        "pr": ({"branches": {"include": [Quoted("*")]}} | where) if events.changes else "none",
    }


def _names(patterns: tuple[str, ...]) -> list[str]:
    return [Quoted(pattern.replace("**", "*")) for pattern in patterns]


def _stage(pipeline: Pipeline, stage: str) -> dict[str, Any]:
    earlier = list(pipeline.stages[: pipeline.stages.index(stage)])
    jobs = [job for job in pipeline.jobs if job.stage == stage]
    body: dict[str, Any] = {"stage": stage, "dependsOn": earlier}
    if any(expressing.may_miss(pipeline, job) for job in jobs):
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
