"""What a CI system can not express is said, never dropped: a refusal where the meaning would change, else a
note.
"""

from __future__ import annotations

from bot.pipelines.model import Events, Job, Pipeline
from bot.pipelines.written import CannotWrite


def minutes(job: Job) -> int:
    """The time limit for systems that count in minutes, rounded up."""
    return -(-job.timeout // 60)


def rounded(pipeline: Pipeline) -> tuple[str, ...]:
    """A note when a time limit is no whole number of minutes."""
    odd = [job.name for job in pipeline.jobs if job.timeout % 60]
    return (f"time limits of {', '.join(odd)} are rounded up to whole minutes",) if odd else ()


def prefix(pattern: str, system: str) -> str | None:
    """The beginning that names must have, or None when the pattern is a name. Raises CannotWrite.

    Conditions of jobs know equality and beginnings, so only `**`, and that at the end, can be told.
    """
    if "*" not in pattern:
        return None
    if pattern.endswith("**") and "*" not in pattern[:-2]:
        return pattern[:-2]
    raise CannotWrite(
        f"{system} can not limit one job to `{pattern}`: its conditions know names and beginnings. "
        "Use a name, or a beginning and `**`."
    )


def may_miss(pipeline: Pipeline, job: Job) -> bool:
    """Whether what `job` waits for can be left out of a run that has `job`."""
    return any(other.on is not None and other.on != job.on for other in pipeline.before(job))


def narrowed(pipeline: Pipeline, job: Job) -> Events | None:
    """The events of the job when they are not all of the pipeline's."""
    return None if job.on is None or job.on == pipeline.on else job.on
