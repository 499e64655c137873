"""A folder that pipelines are read from and written to. Nothing outside of it is touched; all or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failure import Failure

FolderOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder to write to; made when missing.")
]
LEFT_OUT = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", "target", "bin", "obj", "dist"})
MOST_FILES = 50_000
MOST_BYTES = 1_000_000


def names_of(folder: Path) -> list[str]:
    """Paths of all files of a folder, without what tools put there. Raises Failure."""
    if not folder.is_dir():
        raise Failure(f"{folder} is not a folder.", reason_code="NotAFolder")
    found: list[str] = []
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        found += [Path(top, name).relative_to(folder).as_posix() for name in sorted(files)]
        if len(found) > MOST_FILES:
            raise Failure(f"{folder} has more than {MOST_FILES} files.", reason_code="TooManyFiles")
    return found


def texts_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The texts of those files that are there. Raises Failure for one that can not be read as text."""
    found: dict[str, str] = {}
    for name in names:
        path = folder / name
        if not path.exists():
            continue
        _inside(folder, name)
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise Failure(
                f"{name} is no file of at most {MOST_BYTES} bytes.", reason_code="NotAFile", path=name
            )
        try:
            found[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Failure(f"{name} is not text in UTF-8.", reason_code="NotText", path=name) from None
    return found


def put(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files: each is complete before the first takes its place. Raises Failure, OSError."""
    for name in files:
        _inside(folder, name)
    waiting: list[tuple[str, Path]] = []
    try:
        for name, text in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as file:
                waiting.append((file.name, target))
                file.write(text)
            Path(file.name).chmod(0o644)
        for made, target in waiting:
            os.replace(made, target)  # noqa: PTH105 - beside os.walk and tempfile's own names
    finally:
        for made, _ in waiting:
            Path(made).unlink(missing_ok=True)


def _inside(folder: Path, name: str) -> None:
    """A link in a repository must not lead what is written, or read, to somewhere else."""
    here = folder
    for part in Path(name).parts:
        here /= part
        if here.is_symlink():
            raise Failure(f"{name} leads through a symbolic link.", reason_code="NotAFile", path=name)
