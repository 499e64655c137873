"""What a CI system can not express is said, never dropped: a refusal where the meaning would change, else a
note.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.messages import pipelines as say
from bot.pipelines.model import FORGE_TOKEN, Job, Occasions, Pipeline
from bot.pipelines.written import CannotWrite

Notes = tuple[str, ...]


def minutes(job: Job) -> int:
    """The time limit for systems that count in minutes, rounded up."""
    return -(-job.timeout // 60)


def rounded(pipeline: Pipeline) -> Notes:
    """A note when a time limit is no whole number of minutes."""
    odd = _jobs(pipeline, lambda job: bool(job.timeout % 60))
    return (say.rounded_up(odd),) if odd else ()


def prefix(pattern: str, system: str) -> str | None:
    """The beginning that names must have, or None when the pattern is a name. Raises CannotWrite.

    Conditions of jobs know equality and beginnings, so only `**`, and that at the end, can be told.
    """
    if "*" not in pattern:
        return None
    if pattern.endswith("**") and "*" not in pattern[:-2]:
        return pattern[:-2]
    raise CannotWrite(say.cannot_limit(pattern, system))


def may_miss(pipeline: Pipeline, job: Job) -> bool:
    """Whether what `job` waits for can be left out of a run that has `job`."""
    return any(other.on is not None and other.on != job.on for other in pipeline.before(job))


def narrowed(pipeline: Pipeline, job: Job) -> Occasions | None:
    """The events of the job when they are not all of the pipeline's."""
    return None if job.on is None or job.on == pipeline.on.occasions else job.on


def retries(pipeline: Pipeline, system: str) -> Notes:
    """A note about the jobs that would be tried again elsewhere."""
    jobs = _jobs(pipeline, lambda job: job.retries > 0)
    return (say.no_retries(jobs, system),) if jobs else ()


def rights(pipeline: Pipeline, system: str) -> Notes:
    """A note about jobs that ask for more than reading the code."""
    jobs = _jobs(
        pipeline,
        lambda job: any(name != "contents" or right != "read" for name, right in job.permissions.items()),
    )
    return (say.rights_elsewhere(jobs, system),) if jobs else ()


def secrets(pipeline: Pipeline, spelt: Callable[[str], str], where: str) -> Notes:
    """A note about the secrets that have to be there, as the store spells them."""
    found = {reference for job in pipeline.jobs for reference in job.secrets.values()} - {FORGE_TOKEN}
    return (say.secrets_to_make(sorted(map(spelt, found)), where),) if found else ()


def environments(pipeline: Pipeline, *, approval: bool = False) -> tuple[str, ...]:
    """The environments that jobs deploy to, once each; with `approval` those that wait for a person."""
    found = [job.environment for job in pipeline.jobs if job.environment]
    return tuple(dict.fromkeys(one.name for one in found if one.approval or not approval))


def _jobs(pipeline: Pipeline, asked: Callable[[Job], bool]) -> tuple[str, ...]:
    return tuple(job.name for job in pipeline.jobs if asked(job))
