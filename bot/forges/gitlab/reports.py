"""What the jobs of a pipeline kept (https://docs.gitlab.com/api/job_artifacts/).

GitLab gives out a job's archive: the files of `artifacts: paths`. A file that is named under
`artifacts: reports` alone is shown on its pages and can not be fetched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from bot.domain.errors import Permanent
from bot.forges import archive
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, Json, project
from bot.forges.port import Report

ARCHIVE_BYTES = 256 * 1024 * 1024
"""As much as is downloaded of one job's archive."""


def reports(api: Api, repository: str, run: str) -> Iterator[Report]:
    """File by file, job by job. Raises Answered, Retryable,
    Permanent('ArtefactsGone', 'ArtefactsTooLarge', 'UnsafeArchive').
    """
    if not (run.isascii() and run.isdecimal()):
        raise Permanent("NotFound", f"{run!r} is no pipeline's id")
    paths: set[str] = set()
    jobs = list(api.list(f"{project(repository)}/pipelines/{run}/jobs"))
    for job in sorted(jobs, key=lambda job: int(job["id"])):
        if job.get("artifacts_file"):
            with tempfile.TemporaryFile() as packed:
                _download(api, repository, job, packed)
                for report in archive.reports(packed, f"of the job {job['name']}"):
                    path = report.path if report.path not in paths else f"{job['name']}/{report.path}"
                    paths.add(path)
                    yield Report(path, report.content)


def _download(api: Api, repository: str, job: Json, into: IO[bytes]) -> None:
    size = 0
    try:
        for piece in api.stream(f"{project(repository)}/jobs/{job['id']}/artifacts"):
            size += len(piece)
            if size > ARCHIVE_BYTES:
                said = f"the job {job['name']} kept more than {ARCHIVE_BYTES // 1024 // 1024} MiB"
                raise Permanent("ArtefactsTooLarge", said)
            into.write(piece)
    except Answered as answer:
        if answer.status != NOT_FOUND:
            raise
        said = f"what the job {job['name']} kept is gone: it has expired or was erased. Run it again"
        raise Permanent("ArtefactsGone", said) from answer
    into.seek(0)
