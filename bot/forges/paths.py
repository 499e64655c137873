"""What may be the path of a file, its bytes, and the name of a branch, wherever it is to be written."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import PurePosixPath

from bot.domain.effect import File
from bot.domain.errors import Permanent

# Code points that HFS+ leaves out of a name (git's utf8.c): `.g<U+200C>it` is `.git` on a Mac.
UNSEEN = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
FORBIDDEN_IN_BRANCH = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|[/.]$|(^|/)\.|\.lock(/|$)|^@$|^$"
)
"""https://git-scm.com/docs/git-check-ref-format, and a leading `-`, which looks like an option."""


def checked_path(prefix: str, path: str) -> str:
    """A path below `prefix`. Raises Permanent('InvalidPath') if it leaves it or reaches into `.git`."""
    joined = f"{prefix.strip('/')}/{path}" if prefix.strip("/") else path
    parts = joined.split("/")
    bad = path.startswith("/") or "\\" in path or any(ord(sign) < 32 or ord(sign) == 127 for sign in path)  # noqa: PLR2004 - ASCII
    if bad or any(part in {"", ".", ".."} or _git_like(part) for part in parts):
        raise Permanent("InvalidPath", f"{path!r} is not a path inside the repository")
    return str(PurePosixPath(*parts))


def _git_like(part: str) -> bool:
    """Names that some file systems take for `.git`."""
    plain = part.translate(UNSEEN).casefold().rstrip(". ")
    return plain == ".git" or plain.startswith(("git~", ".git:"))


def content(file: File) -> bytes:
    """The bytes of a file. Raises Permanent('InvalidContent')."""
    if file.encoding == "utf-8":
        return file.content.encode()
    try:
        return base64.b64decode(file.content, validate=True)
    except binascii.Error as error:
        raise Permanent("InvalidContent", f"{file.path!r} is not base64") from error


def checked_branch(branch: str) -> str:
    """The same name. Raises Permanent('InvalidBranch') for what git would not take."""
    if FORBIDDEN_IN_BRANCH.search(branch):
        raise Permanent("InvalidBranch", f"{branch!r} cannot be the name of a branch")
    return branch
