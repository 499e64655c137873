"""What a run of Azure Pipelines kept: its artefacts, each downloaded as a zip archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.domain.errors import Permanent
from bot.forges import zipped
from bot.forges.azure.place import Place
from bot.forges.port import Report

ARTEFACT_CAP = 64 * 1024 * 1024
"""Bytes of one archive that are downloaded: what is bigger is no report."""


def reports(place: Place, run: str) -> Iterator[Report]:
    """File by file; of two with one name, the second with its artefact's name before it.

    An artefact that is too large is told as one file without content.
    """
    if not run.isdecimal():
        raise Permanent("NotFound", f"there is no run {run} in {place.repository}")
    project = place.repository.project
    found = place.client.build.get_artifacts(project=project, build_id=int(run)) or ()
    told: set[str] = set()
    for one in sorted(found, key=lambda one: str(one.name)):
        for report in _files(place, one):
            path = f"{one.name}/{report.path}" if report.path in told else report.path
            told.add(path)
            yield Report(path, report.content)


def _files(place: Place, artefact: Any) -> Iterator[Report]:
    address = artefact.resource.download_url if artefact.resource else None
    if not address:  # a file share of somebody's own
        yield Report(artefact.name, None)
        return
    packed = place.client.download(address, ARTEFACT_CAP)
    if packed is None:
        yield Report(artefact.name, None)
        return
    with packed:
        yield from zipped.files(packed, without=artefact.name)
