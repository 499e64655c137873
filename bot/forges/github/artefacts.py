"""What a run of GitHub Actions kept (`Forge.reports`): artefacts, each a zip archive on another host."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from bot.domain.errors import Permanent, Retryable
from bot.forges import zipped
from bot.forges.github.account import Needs
from bot.forges.github.asking import Ask
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import GONE, Ground
from bot.forges.port import Report

Json = dict[str, Any]
READ: Needs = {"actions": "read", "metadata": "read"}
LARGEST = 64 * 1024 * 1024
"""Bytes of one artefact that is looked into; what builds leave behind may be gigabytes."""
EXPIRED = 410


def reports(ground: Ground, repository: str, run: str) -> Iterator[Report]:
    """File by file. An artefact that is too large, has ended or is no archive is told under its own name."""
    told: set[str] = set()
    for artefact in _artefacts(ground, repository, run):
        for report in _inside(ground, repository, artefact):
            # Every job of a matrix may keep a file of the same name.
            path = report.path
            while path in told:
                path = f"{artefact['name']}/{path}"
            told.add(path)
            yield Report(path, report.content)


def _artefacts(ground: Ground, repository: str, run: str) -> list[Json]:
    """The newest of each name: a run that was run again has those of every attempt."""
    try:
        ground.client.get(repository, f"/actions/runs/{run}", needs=READ)
        path = f"/actions/runs/{run}/artifacts"
        listed = list(ground.client.pages(repository, path, inside="artifacts", needs=READ))
    except Answered as error:
        if error.status in GONE:
            raise not_found(f"run {run} in {repository}") from error
        raise
    newest = {one["name"]: one for one in sorted(listed, key=lambda one: int(one["id"]))}
    return sorted(newest.values(), key=lambda one: int(one["id"]))


def _inside(ground: Ground, repository: str, artefact: Json) -> Iterator[Report]:
    archive = _archive(ground, repository, artefact)
    if archive is None:
        yield Report(artefact["name"], None)
        return
    try:
        yield from zipped.files(io.BytesIO(archive))
    except (Retryable, Permanent):  # it came whole: what is wrong with it will not get better
        yield Report(artefact["name"], None)


def _archive(ground: Ground, repository: str, artefact: Json) -> bytes | None:
    """The bytes; None for what is not there any more, and for what is too large."""
    if artefact["expired"] or artefact["size_in_bytes"] > LARGEST:
        return None
    path = f"/repos/{repository}/actions/artifacts/{artefact['id']}/zip"
    try:
        return ground.client.download(Ask("GET", path, repository, needs=READ), LARGEST)
    except Permanent as error:
        if error.reason_code != "TooLarge":
            raise
    except Answered as error:
        if error.status not in {*GONE, EXPIRED}:
            raise
    return None
