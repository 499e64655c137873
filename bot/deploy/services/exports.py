"""Release folders: the files of one revision, written once, not changed afterwards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bot.deploy.port import Exporter
from bot.deploy.services.places import Place, checked
from bot.domain.effect import Target
from bot.domain.errors import Permanent

KEPT = 5
"""Release folders that stay; older ones come again from the forge when they are wanted."""


def folder(place: Place, target: Target) -> Path:
    """Where a target's files are, or will be."""
    return place.releases / checked(f"{target.version}-{target.revision[:12]}", "release")


def export(place: Place, target: Target, exporter: Exporter) -> Path:
    """The target's folder, complete: it appears in one step, so a dying worker leaves none half full."""
    wanted = folder(place, target)
    if wanted.is_dir():
        return wanted
    place.releases.mkdir(parents=True, exist_ok=True)
    for left in place.releases.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.releases))
    try:
        exporter.export(target.repository, target.revision, target.path, fresh)
        _inspect(fresh, target)
        fresh.chmod(0o755)
        fresh.rename(wanted)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return wanted


def _inspect(root: Path, target: Target) -> None:
    """Nothing starts from an empty folder or links outside it; nothing invites to be edited in place."""
    found = sorted(root.rglob("*"))
    if not found:
        raise Permanent(
            "EmptyRelease",
            f"{target.repository} has no files in {target.path or '/'} at {target.revision[:12]}.",
        )
    base = root.resolve()
    for path in found:
        if path.is_symlink():
            if not path.resolve().is_relative_to(base):
                raise Permanent("UnsafeRelease", f"{path.relative_to(root)} links outside the release.")
        elif path.is_file():
            path.chmod(0o555 if path.stat().st_mode & 0o100 else 0o444)


def prune(place: Place, keep: Path) -> None:
    """Remove the oldest release folders beyond KEPT, never `keep`."""
    folders = [path for path in place.releases.glob("[!.]*") if path.is_dir()]
    newest = sorted(folders, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in newest[KEPT:]:
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)
