"""A neutral pipeline as one workflow of GitHub Actions. Pure and deterministic.

The workflow may read the code, and what a job asks for. Actions are named by commit (actions.yaml). No
expression stands in a command: a command sees constants of the file, what its environment holds, and the
commit through Git. All commands of a job are one shell, as in every other system.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted
from ruamel.yaml.scalarstring import PlainScalarString

from bot.messages import pipelines as say
from bot.pipelines import expressing, github_jobs, github_steps
from bot.pipelines.github_jobs import SYSTEM
from bot.pipelines.model import ManualInput, Pipeline, store_name
from bot.pipelines.text import OURS, heading, text_of
from bot.pipelines.written import CannotWrite, There, Written

FOLDER = ".github/workflows"
RUN = "${{ github.event_name }}-${{ github.event.pull_request.number || github.ref }}"
# Quoted, as a text of that kind is elsewhere, people would not know the word again.
ON = PlainScalarString("on")
KINDS = {"choice": "choice", "boolean": "boolean", "text": "string"}


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
        raise CannotWrite(say.file_in_the_way(path))
    return Written(
        path, {path: render(pipeline)}, {job.name: job.name for job in pipeline.jobs}, _notes(pipeline)
    )


def _notes(pipeline: Pipeline) -> tuple[str, ...]:
    notes = list(expressing.rounded(pipeline))
    shown = [job.name for job in pipeline.jobs if job.reports]
    if shown:
        notes.append(say.reports_kept(shown, SYSTEM))
    if any(job.coverage for job in pipeline.jobs):
        notes.append(say.coverage_by_bot(SYSTEM))
    if pipeline.on.schedules:
        branches = sorted({one.branch for one in pipeline.on.schedules})
        notes.append(say.schedule_on_default(branches, SYSTEM))
    if asked := expressing.environments(pipeline, approval=True):
        notes.append(say.approval_to_make(asked, SYSTEM))
    if deployed := expressing.environments(pipeline):
        notes.append(say.newest_waits(deployed, SYSTEM))
    if any(job.caches and not github_steps.kept_caches(pipeline, job) for job in pipeline.jobs):
        notes.append(say.no_cache_for_releases(SYSTEM))
    where = "the repository's secrets, or the environment's"
    return (*notes, *expressing.retries(pipeline, SYSTEM), *expressing.secrets(pipeline, store_name, where))


def render(pipeline: Pipeline) -> str:
    """The workflow's text."""
    document: dict[str, Any] = {
        "name": pipeline.module,
        ON: _triggers(pipeline),
        "permissions": {},
        "concurrency": {
            # A new head of a change ends the run of the old one; what is pushed is always run to its end.
            "group": f"{pipeline.module}-{RUN}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "jobs": {job.name: github_jobs.job(pipeline, job) for job in pipeline.jobs},
    }
    return heading(pipeline) + text_of(document)


def _triggers(pipeline: Pipeline) -> dict[str, Any]:
    events = pipeline.on
    where = {"paths": _paths(pipeline)} if pipeline.in_a_folder else {}
    found: dict[str, Any] = {}
    refs = {"branches": _quoted(events.branches), "tags": _quoted(events.tags)}
    pushed = {name: names for name, names in refs.items() if names}
    if pushed:
        # GitHub looks at no paths when a tag is pushed.
        found["push"] = pushed | (where if events.branches else {})
    if events.changes:
        found["pull_request"] = dict(where) or None
    if events.schedules:
        found["schedule"] = [{"cron": Quoted(one.cron)} for one in events.schedules]
    if events.manual:
        asked = {name: _input(one) for name, one in events.manual.inputs.items()}
        found["workflow_dispatch"] = {"inputs": asked} if asked else None
    return found


def _paths(pipeline: Pipeline) -> list[str]:
    return [*(f"{folder}/**" for folder in (pipeline.path, *pipeline.also)), file_of(pipeline)]


def _input(one: ManualInput) -> dict[str, Any]:
    default: Any = one.default == "true" if one.kind == "boolean" else Quoted(one.default)
    made: dict[str, Any] = {"type": KINDS[one.kind], "default": default}
    made |= {"description": Quoted(one.description)} if one.description else {}
    return made | ({"options": _quoted(one.options)} if one.options else {})


def _quoted(names: tuple[str, ...]) -> list[str]:
    return [Quoted(name) for name in names]
