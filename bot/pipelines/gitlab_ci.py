"""A neutral pipeline in GitLab's words. Pure and deterministic: the same pipeline gives the same text.

`render` makes the whole `.gitlab-ci.yml` of a repository that is one module, `render_module` the file of one
of several, which a root file includes (bot/pipelines/gitlab_root.py). Of a pipeline that has only commands
and artefacts the keywords are those that the embedded forge's runner executes, so one file serves GitLab and
the demo.
"""

from __future__ import annotations

from typing import Any

from bot.messages import pipelines as say
from bot.pipelines import expressing, gitlab_jobs, gitlab_rules, metadata
from bot.pipelines.gitlab_jobs import command, variables
from bot.pipelines.model import Job, Pipeline, store_name
from bot.pipelines.text import heading, text_of

FILE = ".gitlab-ci.yml"
# A folder of its own: people keep files of theirs in .gitlab/ci, and the root file includes all that is here.
FOLDER = ".gitlab/ci/pointsman"
SYSTEM = "GitLab CI"
METADATA = metadata.shell(message="CI_COMMIT_MESSAGE", revision="CI_COMMIT_SHA")


def file_of(pipeline: Pipeline) -> str:
    """Where a module's own file lies."""
    return f"{FOLDER}/{pipeline.module}.yml"


def job_name(pipeline: Pipeline, job: Job) -> str:
    """A job's name beside other modules' jobs. Neither part has a colon, so no two of them are the same."""
    return f"{pipeline.module}:{job.name}"


def notes(pipeline: Pipeline, *, alone: bool) -> tuple[str, ...]:
    """What GitLab can not say in a file; `alone` when the repository is this module."""
    events = pipeline.on
    found = [say.schedule_by_hand(one.cron, one.branch, SYSTEM) for one in events.schedules]
    if events.manual and events.manual.inputs and not alone:
        found.append(say.inputs_by_hand(tuple(events.manual.inputs), SYSTEM))
    if asked := expressing.environments(pipeline, approval=True):
        found.append(say.approver_to_make(asked, SYSTEM))
    if any(job.caches for job in pipeline.jobs):
        found.append(say.cache_of_protected(SYSTEM))
    where = "the project's CI/CD variables"
    return (*found, *expressing.rights(pipeline, SYSTEM), *expressing.secrets(pipeline, store_name, where))


def render(pipeline: Pipeline) -> str:
    """The whole file's text, with a comment that names the template."""
    edition = {"editionId": pipeline.edition} if pipeline.edition else {}
    constants = {**pipeline.variables, "moduleId": pipeline.module, **edition}
    document: dict[str, Any] = {
        "workflow": {"rules": gitlab_rules.of_workflow(pipeline.on)},
        "stages": list(pipeline.stages),
        "default": {"before_script": [command(METADATA)]},
        "variables": gitlab_jobs.inputs(pipeline.on) | variables(constants),
    }
    for job in pipeline.jobs:
        head: dict[str, Any] = {"stage": job.stage}
        if job.needs is not None:
            head["needs"] = [_need(other.name, other, job) for other in pipeline.before(job)]
        if (rules := gitlab_rules.of_job(pipeline, job)) is not None:
            head["rules"] = rules
        if own := variables(job.variables) | gitlab_jobs.secrets(job):
            head["variables"] = own
        document[job.name] = head | gitlab_jobs.body(job)
    return heading(pipeline) + text_of(document)


def render_module(pipeline: Pipeline) -> str:
    """The text of the module's own file: jobs that stand alone, whatever else the root file has.

    They wait for their own module's jobs only, and run when a file of the module has changed.
    """
    document: dict[str, Any] = {}
    for job in pipeline.jobs:
        constants = gitlab_jobs.defaults(pipeline.on) | variables(pipeline.constants(job))
        head: dict[str, Any] = {
            "stage": job.stage,
            "needs": [_need(job_name(pipeline, other), other, job) for other in pipeline.before(job)],
            "rules": gitlab_rules.of_module(pipeline, job, file_of(pipeline)),
            "variables": constants | gitlab_jobs.secrets(job),
            "before_script": [command(METADATA)],
        }
        document[job_name(pipeline, job)] = head | gitlab_jobs.body(job)
    return heading(pipeline) + text_of(document)


def _need(name: str, other: Job, job: Job) -> str | dict[str, Any]:
    """What `on` leaves out of a run must not keep others from running."""
    return name if other.on is None or other.on == job.on else {"job": name, "optional": True}
