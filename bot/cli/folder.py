"""A folder as the files of a submission. Refuses what cannot be submitted, by name, before anything is sent.

Symlinks, devices, sockets and pipes are refused, not followed; the folder's own `.git` is left out, and
said so.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cli.failure import Failure
from bot.domain.submission import Limits

LIMITS = Limits()
LEFT_OUT = ".git"


@dataclass(frozen=True)
class Folder:
    """The files found, in the order of their paths, and what was left out."""

    files: list[dict[str, Any]]
    size: int
    notices: list[str]


def read_folder(root: Path) -> Folder:
    """All regular files below `root`.

    Raises Failure naming the first that can not be submitted, and OSError.
    """
    if root.is_symlink() or not root.is_dir():
        raise Failure(f"{root} is not a folder.", reason_code="NotAFolder")
    notices = [f"{root / LEFT_OUT} is left out."] if os.path.lexists(root / LEFT_OUT) else []
    files: list[dict[str, Any]] = []
    size = 0
    for path in _walk(root, top=True):
        name = path.relative_to(root).as_posix()
        content, executable = _content(path, name)
        size += len(content)
        files.append(_file(name, content, executable=executable))
        if len(files) > LIMITS.files:
            raise Failure(f"{root} has more than {LIMITS.files} files.", reason_code="TooManyFiles")
        if size > LIMITS.total_bytes:
            raise Failure(f"{root} has more than {LIMITS.total_bytes} bytes.", reason_code="TotalTooLarge")
    if not files:
        raise Failure(f"{root} has no files.", reason_code="Empty")
    return Folder(files, size, notices)


def _walk(folder: Path, *, top: bool = False) -> Iterator[Path]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if top and entry.name == LEFT_OUT:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def _content(path: Path, name: str) -> tuple[bytes, bool]:
    """Opened without following a link, then looked at.

    Between the two nobody can put something else in its place.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Failure(
            f"{name} is {_kind(path.lstat().st_mode)}; only regular files can be submitted.",
            reason_code="NotAFile",
            path=name,
        )
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Failure(
                f"{name} is {_kind(found.st_mode)}; only regular files can be submitted.",
                reason_code="NotAFile",
                path=name,
            )
        content = file.read(LIMITS.file_bytes + 1)
    if len(content) > LIMITS.file_bytes:
        raise Failure(
            f"{name} has more than {LIMITS.file_bytes} bytes.", reason_code="FileTooLarge", path=name
        )
    return content, bool(found.st_mode & stat.S_IXUSR)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _file(name: str, content: bytes, *, executable: bool) -> dict[str, Any]:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Failure(f"{os.fsencode(name)!r} is not a name in UTF-8.", reason_code="InvalidName") from None
    try:
        said = {"path": name, "content": content.decode(), "encoding": "utf-8"}
    except UnicodeDecodeError:
        said = {"path": name, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return said | ({"executable": True} if executable else {})
