"""What the jobs of a pipeline kept (https://docs.gitlab.com/api/job_artifacts/).

GitLab gives out a job's archive: the files of `artifacts: paths`. A file that is named under
`artifacts: reports` alone is shown on its pages and can not be fetched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from bot.domain.errors import Permanent
from bot.forges import zipped
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, Json, project
from bot.forges.port import Report

LARGEST = 64 * 1024 * 1024
"""Bytes of one job's archive that are downloaded."""


def reports(api: Api, repository: str, run: str) -> Iterator[Report]:
    """File by file; of two with one name, the second with its job's name before it.

    An archive that is too large, or gone (it expired, or was erased), is told under its job's name, without
    content. Raises Answered, Retryable, Permanent.
    """
    if not (run.isascii() and run.isdecimal()):
        raise Permanent("NotFound", f"{run!r} is no pipeline's id")
    jobs = list(api.list(f"{project(repository)}/pipelines/{run}/jobs"))
    told: set[str] = set()
    for job in sorted(jobs, key=lambda job: int(job["id"])):
        for report in _of_job(api, repository, job) if job.get("artifacts_file") else ():
            path = report.path
            while path in told:
                path = f"{job['name']}/{path}"
            told.add(path)
            yield Report(path, report.content)


def _of_job(api: Api, repository: str, job: Json) -> Iterator[Report]:
    with tempfile.TemporaryFile() as packed:
        if _downloaded(api, repository, job, packed):
            yield from zipped.files(packed)
        else:
            yield Report(str(job["name"]), None)


def _downloaded(api: Api, repository: str, job: Json, into: IO[bytes]) -> bool:
    """Whether all of the archive is in the file now."""
    size = 0
    try:
        for piece in api.stream(f"{project(repository)}/jobs/{job['id']}/artifacts"):
            size += len(piece)
            if size > LARGEST:
                return False
            into.write(piece)
    except Answered as answer:
        if answer.status != NOT_FOUND:
            raise
        return False
    into.seek(0)
    return True
