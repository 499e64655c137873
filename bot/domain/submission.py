"""What may be submitted as files of a module. Everything here is said without asking a forge or a disk.

A path must mean the same file for everyone who will ever check it out: on Linux, macOS and Windows, for git
and for people. The disguises of `.git` are those that git itself knows (`is_ntfs_dotgit`, `is_hfs_dotgit`).
"""

from __future__ import annotations

import base64
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.domain.commit_message import check_message, find_trace, find_trailers, trailers
from bot.domain.effect import File
from bot.domain.errors import Invalid

__all__ = [
    "Limits",
    "check",
    "check_message",
    "check_path",
    "entry_kind",
    "find_trace",
    "find_trailers",
    "text_of",
    "trailers",
]

MIB = 1024 * 1024
DRIVE = re.compile(r"[A-Za-z]:")
SHORT_NAME_OF_GIT = re.compile(r"git~[0-9]+")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: reserved with any extension.
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?")
NOT_ON_WINDOWS = frozenset('<>:"|?*')
# Unicode's control, format (invisible), private, surrogate characters, line and paragraph separators.
INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class Limits:
    """How much one submission may be, in files and bytes; a path and its segments in bytes of UTF-8."""

    files: int = 2000
    file_bytes: int = MIB
    total_bytes: int = 8 * MIB
    path_bytes: int = 1024
    segment_bytes: int = 255


DEFAULT = Limits()


def check(files: Sequence[File], *, path: str = "", limits: Limits = DEFAULT) -> None:
    """Raises Invalid with the first thing that is wrong and where (`files[3].path`).

    `path` is the module's folder in its repository, empty for the root.
    """
    if path:
        check_path(path, limits=limits, where="path")
    if len(files) > limits.files:
        raise Invalid(
            "TooManyFiles", f"{len(files)} files are submitted; at most {limits.files} may be", path="files"
        )
    total = 0
    for index, file in enumerate(files):
        check_path(file.path, limits=limits, where=f"files[{index}].path")
        total += _size(file, f"files[{index}].content", limits)
    if total > limits.total_bytes:
        sentence = f"The files have {total} bytes together; at most {limits.total_bytes} may be submitted"
        raise Invalid("TotalTooLarge", sentence, path="files")
    _check_collisions(files)


def check_path(path: str, *, limits: Limits = DEFAULT, where: str = "path") -> None:
    """Raises Invalid (PathAbsolute, PathTraversal, PathReserved, PathInvalid) unless the path is plain."""
    for reason_code, sentence in _wrong_with(path, limits):
        raise Invalid(reason_code, f"{shown(path)} {sentence}", path=where)


def shown(path: str) -> str:
    """A path for a person to read: nothing in it acts on a terminal or a page, and it is not endless."""
    plain = path if len(path) <= 200 else f"{path[:200]}..."  # noqa: PLR2004 - two lines of a page
    visible = plain.encode("unicode_escape").decode() if _invisible(plain) else plain
    return f"`{visible.replace('`', chr(39))}`"


def _wrong_with(path: str, limits: Limits) -> Iterator[tuple[str, str]]:
    if path.startswith("/") or DRIVE.match(path):
        yield "PathAbsolute", "is an absolute path; paths are relative to the module's folder"
    segments = path.replace("\\", "/").split("/")
    if ".." in segments:
        yield "PathTraversal", "leads out of the module's folder"
    for segment in segments:
        yield from _reserved(segment)
    if "\\" in path:
        yield "PathInvalid", "has a backslash; folders are separated by /"
    if "" in segments or "." in segments:
        yield "PathInvalid", "has an empty segment: no double, leading or trailing slash, no single dot"
    if _invisible(path):
        yield "PathInvalid", "has a character that can not be seen"
    if not unicodedata.is_normalized("NFC", path):
        yield "PathInvalid", "is not in Unicode normal form C"
    yield from _not_portable(path, segments, limits)


def _reserved(segment: str) -> Iterator[tuple[str, str]]:
    name = _on_disk(segment)
    if name == ".git" or SHORT_NAME_OF_GIT.fullmatch(name):
        yield "PathReserved", "is inside git's own folder, or would be on some disks"
    if WINDOWS_DEVICE.fullmatch(name):
        yield "PathReserved", f"has the segment {shown(segment)}, which is a device on Windows"


def _on_disk(segment: str) -> str:
    """What disks make of a segment: HFS+ drops invisible letters, NTFS case, streams, final dots, spaces."""
    seen = "".join(character for character in segment if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", seen).casefold().partition(":")[0].rstrip(". ")


def _not_portable(path: str, segments: list[str], limits: Limits) -> Iterator[tuple[str, str]]:
    forbidden = sorted(NOT_ON_WINDOWS & set(path))
    if forbidden:
        yield "PathInvalid", f"has {' '.join(forbidden)}, which Windows does not allow"
    if any(segment.endswith((".", " ")) for segment in segments):
        yield "PathInvalid", "has a segment that ends in a dot or a space, which Windows cuts off"
    if len(path.encode()) > limits.path_bytes or any(
        len(s.encode()) > limits.segment_bytes for s in segments
    ):
        yield (
            "PathInvalid",
            f"is longer than {limits.path_bytes} bytes, or a segment than {limits.segment_bytes}",
        )


def _invisible(text: str) -> bool:
    return any(unicodedata.category(character) in INVISIBLE for character in text)


def _size(file: File, where: str, limits: Limits) -> int:
    """Bytes of the content. The length of what was sent is looked at first: nothing huge is decoded."""
    if len(file.content) > 2 * limits.file_bytes:  # base64 with line breaks is less than 1.4 times as long
        raise _too_large(file, where, limits)
    size = len(_bytes(file, where))
    if size > limits.file_bytes:
        raise _too_large(file, where, limits)
    return size


def _too_large(file: File, where: str, limits: Limits) -> Invalid:
    return Invalid("FileTooLarge", f"{shown(file.path)} is larger than {limits.file_bytes} bytes", path=where)


def _bytes(file: File, where: str) -> bytes:
    try:
        if file.encoding == "base64":
            return base64.b64decode("".join(file.content.split()), validate=True)
        if "\0" in file.content:
            raise Invalid(
                "InvalidEncoding", f"{shown(file.path)} has NUL bytes: send it as base64", path=where
            )
        return file.content.encode()
    except ValueError as error:
        raise Invalid(
            "InvalidEncoding", f"{shown(file.path)} is not valid {file.encoding}", path=where
        ) from error


def text_of(file: File) -> str | None:
    """The file as text, also when it came as base64; None for what is no text."""
    try:
        return _bytes(file, "").decode()
    except (Invalid, UnicodeDecodeError):
        return None


def _check_collisions(files: Sequence[File]) -> None:
    """Two spellings of one name, on disks that ignore case; a name that is both file and folder.

    Deleting one spelling and adding the other is a rename; naming one path twice never is.
    """
    exact: set[str] = set()
    names: dict[str, tuple[str, bool]] = {}
    for index, file in enumerate(files):
        where = f"files[{index}].path"
        if file.path in exact:
            raise Invalid("PathCollision", f"{shown(file.path)} is submitted twice", path=where)
        exact.add(file.path)
        for name in () if file.delete else _names(file.path):
            key = unicodedata.normalize("NFC", name.casefold())
            known = names.setdefault(key, (name, name == file.path))
            if known != (name, name == file.path):
                raise Invalid("PathCollision", _collision(file.path, name, known[0]), path=where)


def _names(path: str) -> Iterator[str]:
    """The path and the folders it is in."""
    segments = path.split("/")
    return ("/".join(segments[:length]) for length in range(len(segments), 0, -1))


def _collision(path: str, name: str, known: str) -> str:
    if name == known:
        return f"{shown(path)} makes {shown(name)} both a file and a folder"
    return f"{shown(name)} and {shown(known)} differ only in case: on many disks they are one"


def entry_kind(path: str, mode: int) -> Literal["file", "executable", "folder"]:
    """What an entry of a folder on disk is to a submission, by its mode from `lstat` (follows no link).

    Raises Invalid('SymlinkRefused'), and Invalid('PathInvalid') for sockets, pipes and devices.
    """
    if stat.S_ISLNK(mode):
        raise Invalid(
            "SymlinkRefused", f"{shown(path)} is a symbolic link: submit what it points to", path=path
        )
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "executable" if mode & stat.S_IXUSR else "file"
    raise Invalid("PathInvalid", f"{shown(path)} is neither a file nor a folder", path=path)
