"""Reports that a run kept: those that its file declares, and files whose name says what they are.

They lie below the run's folder by the path that they had in the project. When two jobs keep the same path,
the second one's stands below the name of its job's folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bot.forges.local import pipelines
from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgePipeline
from bot.forges.port import REPORT_CAP, Report

MOST, MOST_BYTES = 200, 64 * 1024 * 1024
"""Reports of one run, and their bytes together; what is beyond that is told as too large."""
BY_NAME = re.compile(
    r"(?:^|/)(?:(?:TEST-|junit|cobertura|coverage)[^/]*\.xml|(?:s?bom|[^/]+\.cdx)\.(?:json|xml)"
    r"|[^/]+\.(?:sarif|sarif\.json|spdx\.json|dsse|dsse\.json|intoto\.jsonl|sigstore|sigstore\.json))$"
)
"""JUnit, Cobertura, CycloneDX, SARIF, SPDX, DSSE and Sigstore bundles, as their tools name them."""


def folder(ground: Ground, pipeline: int | None) -> Path:
    """Where the reports of a run are."""
    return ground.log_folder(pipeline) / "kept"


def keep(target: Path, declared: Path, artefacts: Path) -> None:
    """Move a run's reports to `target`, out of two folders that each have one for every job."""
    shutil.rmtree(target, ignore_errors=True)
    room = MOST_BYTES
    for number, (name, path) in enumerate(_found(declared, artefacts)):
        size = path.stat().st_size
        fits = number < MOST and size <= min(room, REPORT_CAP)
        room -= size if fits else 0
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        if not fits:
            # A hole larger than the cap: it is told as too large, and takes no room.
            os.truncate(place, 0)
            os.truncate(place, REPORT_CAP + 1)


def _found(declared: Path, artefacts: Path) -> Iterator[tuple[str, Path]]:
    """The name of each report and where it is now; the declared ones of a job come first."""
    taken: set[str] = set()
    for job in sorted({path.name for top in (declared, artefacts) for path in _below(top)}):
        own: set[str] = set()
        for top, every in ((declared / job, True), (artefacts / job, False)):
            for path in sorted(top.rglob("*")):
                name = path.relative_to(top).as_posix()
                if path.is_symlink() or not path.is_file() or name in own:
                    continue
                if every or BY_NAME.search(name):
                    own.add(name)
                    kept = _free(name, job, taken)
                    taken.add(kept)
                    yield kept, path


def _free(name: str, job: str, taken: set[str]) -> str:
    """A name at which no other file is, above which none is, and below which none is."""
    above = {parent.as_posix() for parent in PurePosixPath(name).parents}
    if name in taken or above & taken or any(other.startswith(f"{name}/") for other in taken):
        return _free(f"{job}/{name}", job, taken)
    return name


def _below(top: Path) -> list[Path]:
    return list(top.iterdir()) if top.is_dir() else []


def reports(ground: Ground, repository: str, run: str) -> Iterator[Report]:
    """The reports of a run, by name. Raises Missing."""
    with ground.read() as session:
        row = pipelines.get(session, repository, int(run) if run.isascii() and run.isdigit() else 0)
    top = folder(ground, row.id)
    for path in sorted(top.rglob("*")):
        if path.is_file():
            small = path.stat().st_size <= REPORT_CAP
            yield Report(path.relative_to(top).as_posix(), path.read_bytes() if small else None)


def let_go(ground: Ground, before: str) -> None:
    """Remove the reports of runs that ended before this moment, and of runs that nobody knows."""
    for there in ground.log_folder(None).parent.glob("*/kept"):
        with ground.read() as session:
            run = session.get(ForgePipeline, int(there.parent.name))
        if run is None or (run.ended_at and run.ended_at < before):
            shutil.rmtree(there, ignore_errors=True)
