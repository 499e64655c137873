"""A neutral pipeline as one workflow of GitHub Actions. Pure and deterministic.

The workflow may read the code and nothing else. Actions are named by commit (actions.yaml). No expression
stands in a command: a command sees constants of the file, and the commit through Git. All commands of a job
are one shell, as in every other system.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from bot.pipelines import expressing, metadata
from bot.pipelines.model import Events, Job, Pipeline
from bot.pipelines.text import OURS, block, heading, noted, text_of
from bot.pipelines.written import CannotWrite, There, Written

FOLDER = ".github/workflows"
MACHINE = "ubuntu-24.04"
SYSTEM = "GitHub Actions"
# Of a change GitHub would check out a merge that nobody ever sees; what is tested is what is approved.
HEAD = "${{ github.event.pull_request.head.sha || github.sha }}"
RUN = "${{ github.event_name }}-${{ github.event.pull_request.number || github.ref }}"
_FROM_GIT = 'COMMIT_MESSAGE="$(git log -1 --format=%B)"\nREVISION="$(git rev-parse HEAD)"\n'
METADATA = _FROM_GIT + metadata.shell(message="COMMIT_MESSAGE", revision="REVISION")
# Artefacts lose the folders that all their paths share. A second path at the top, where nothing is, keeps
# them.
TOP = ".pointsman-keeps-folders"


def file_of(pipeline: Pipeline) -> str:
    """Where the workflow lies; the prefix keeps it apart from people's own."""
    return f"{FOLDER}/pointsman-{pipeline.module}.yml"


def reads(pipeline: Pipeline) -> tuple[str, ...]:
    """The files that `written` must see."""
    return (file_of(pipeline),)


def written(pipeline: Pipeline, there: There) -> Written:
    """The workflow of this module. Raises CannotWrite."""
    path = file_of(pipeline)
    mine = there.get(path)
    if mine is not None and not mine.startswith(OURS):
        raise CannotWrite(f"`{path}` is there and is not ours: move it, or give the module another name.")
    return Written(
        path, {path: render(pipeline)}, {job.name: job.name for job in pipeline.jobs}, _notes(pipeline)
    )


def _notes(pipeline: Pipeline) -> tuple[str, ...]:
    notes = list(expressing.rounded(pipeline))
    shown = [job.name for job in pipeline.jobs if job.reports]
    if shown:
        notes.append(f"reports of {', '.join(shown)} are kept as artefacts: {SYSTEM} does not show them")
    if any(job.coverage for job in pipeline.jobs):
        notes.append(f"{SYSTEM} reads no coverage from a log; the bot does, from a line `coverage: NN%`")
    return tuple(notes)


def render(pipeline: Pipeline) -> str:
    """The workflow's text."""
    document: dict[str, Any] = {
        "name": pipeline.module,
        "on": _triggers(pipeline),
        "permissions": {},
        "concurrency": {
            # A new head of a change ends the run of the old one; what is pushed is always run to its end.
            "group": f"{pipeline.module}-{RUN}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "jobs": {job.name: _job(pipeline, job) for job in pipeline.jobs},
    }
    return heading(pipeline) + text_of(document)


def _triggers(pipeline: Pipeline) -> dict[str, Any]:
    events = pipeline.on
    where = {"paths": [f"{pipeline.path}/**", file_of(pipeline)]} if pipeline.in_a_folder else {}
    found: dict[str, Any] = {}
    refs = {"branches": _quoted(events.branches), "tags": _quoted(events.tags)}
    pushed = {name: names for name, names in refs.items() if names}
    if pushed:
        # GitHub looks at no paths when a tag is pushed.
        found["push"] = pushed | (where if events.branches else {})
    if events.changes:
        found["pull_request"] = dict(where) or None
    return found


def _quoted(names: tuple[str, ...]) -> list[str]:
    return [Quoted(name) for name in names]


def _job(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    body: dict[str, Any] = {}
    before = pipeline.before(job)
    if before:
        body["needs"] = [other.name for other in before]
    if condition := _condition(pipeline, job):
        body["if"] = f"${{{{ {condition} }}}}"
    body["runs-on"] = MACHINE
    body["timeout-minutes"] = expressing.minutes(job)
    if job.allow_failure:
        body["continue-on-error"] = True
    body["permissions"] = {"contents": "read"}
    variables = {**pipeline.variables, **job.variables, "moduleId": pipeline.module}
    body["env"] = {name: Quoted(_literal(value)) for name, value in variables.items()}
    commands = "\n".join(step.rstrip() for step in job.steps)
    body["steps"] = [
        _use("actions/checkout", {"ref": HEAD, "persist-credentials": False}),
        *(_download(other) for other in before if other.artefacts),
        {"name": job.name, "shell": "bash", "run": block(_literal(f"{METADATA}{commands}\n"))},
        *_uploads(job),
    ]
    return body


def _literal(text: str) -> str:
    """GitHub puts expressions into everything it reads; a text that looks like one becomes one that says
    it.
    """
    return text.replace("${{", "${{ '${{' }}")


def _condition(pipeline: Pipeline, job: Job) -> str:
    parts = ["!failure() && !cancelled()"] if expressing.may_miss(pipeline, job) else []
    events = expressing.narrowed(pipeline, job)
    if events is not None:
        parts.append(f"({' || '.join(_events(events))})")
    return " && ".join(parts)


def _events(events: Events) -> list[str]:
    found = ["github.event_name == 'pull_request'"] if events.changes else []
    for kind, patterns in (("branch", events.branches), ("tag", events.tags)):
        found += [_of_ref(kind, pattern) for pattern in patterns]
    return found


def _of_ref(kind: str, pattern: str) -> str:
    folder = "refs/heads/" if kind == "branch" else "refs/tags/"
    beginning = expressing.prefix(pattern, SYSTEM)
    if beginning is None:
        return f"github.ref == '{folder}{pattern}'"
    return f"startsWith(github.ref, '{folder}{beginning}')"


def _download(other: Job) -> dict[str, Any]:
    # By pattern: a job that kept nothing has no artefact, which is no failure of this one.
    given = {"pattern": other.name, "merge-multiple": True}
    return _use("actions/download-artifact", given)


def _uploads(job: Job) -> list[dict[str, Any]]:
    found = []
    if job.artefacts:
        found.append(_upload(job.name, job.artefacts.paths, always=job.artefacts.always))
    if job.reports:
        paths = tuple(path for path in (job.reports.junit, job.reports.cobertura) if path)
        found.append(_upload(f"{job.name}-reports", paths, always=True))
    return found


def _upload(name: str, paths: tuple[str, ...], *, always: bool) -> dict[str, Any]:
    given = {
        "name": name,
        "path": block("".join(f"{_literal(path)}\n" for path in (*paths, TOP))),
        "if-no-files-found": "warn",
        "include-hidden-files": True,
    }
    condition = {"if": "${{ !cancelled() }}"} if always else {}
    return _use("actions/upload-artifact", given, **condition)


def _use(name: str, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step that is an action: `uses: actions/checkout@<commit> # <version>`."""
    pinned = _lock()[name]
    step = {**more, "uses": f"{name}@{pinned['commit']}", "with": given}
    return noted(step, "uses", pinned["version"])


@lru_cache(maxsize=1)
def _lock() -> dict[str, dict[str, str]]:
    text = resources.files("bot.pipelines").joinpath("actions.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))
