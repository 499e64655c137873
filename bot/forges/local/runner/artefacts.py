"""Which files of a project a job hands on: names with `*` (anything but `/`) and `**` (any folders)."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bot.forges.local.runner import patterns
from bot.forges.local.runner.workspace import WorkspaceError


class Collected(NamedTuple):
    """Patterns that named nothing, and paths that were left out because they lead out of the project."""

    missing: list[str]
    outside: list[str]


def collect(project: Path, wanted: Iterable[str], target: Path, limit: int) -> Collected:
    """Copy what the patterns name from a project to `target`; a folder's name means all that is in it.

    Raises WorkspaceError when the files together have more than `limit` bytes, OSError when one can not be
    copied.
    """
    every = _files(project)
    named = {pattern: [path for path in every if _names(pattern, path)] for pattern in wanted}
    # Patterns overlap (`out/**` and `out/*.txt`): each file counts once.
    paths = dict.fromkeys(path for found in named.values() for path in found)
    inside = {path for path in paths if _is_inside(project, path)}
    if sum((project / path).lstat().st_size for path in inside) > limit:
        raise WorkspaceError(f"artefacts are larger than {limit} bytes")
    for path in inside:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / path, target / path, follow_symlinks=False)
    return Collected(
        [pattern for pattern, found in named.items() if not found],
        [path for path in paths if path not in inside],
    )


def _names(pattern: str, path: str) -> bool:
    return patterns.found(_as_expression(pattern), path)


def _as_expression(pattern: str) -> str:
    parts = PurePosixPath(pattern).parts
    folders = "".join("(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in parts[:-1])
    last = "".join(".+" if part == "**" else _part(part) for part in parts[-1:])
    return f"(?s)^{folders}{last}(?:/.*)?$" if parts else ""


def _part(text: str) -> str:
    return "[^/]*".join(re.escape(piece) for piece in re.split(r"\*+", text))


def _files(project: Path) -> list[str]:
    """Every file and link, relative, sorted. Links are not followed: one that leads up would never end."""
    found: list[Path] = []
    for top, folders, names in os.walk(project):
        links = [name for name in folders if Path(top, name).is_symlink()]
        found += [Path(top, name) for name in (*names, *links)]
    return sorted(path.relative_to(project).as_posix() for path in found)


def _is_inside(project: Path, name: str) -> bool:
    """Whether a file or link is one of the project's own; pipes, sockets and git's folder are not."""
    path = project / name
    if not path.resolve().is_relative_to(project.resolve()) or ".git" in PurePosixPath(name).parts:
        return False
    return path.is_symlink() or path.is_file()
