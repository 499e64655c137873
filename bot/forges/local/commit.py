"""One commit through Git's plumbing: a temporary index, no work tree, nothing written that is not a plain file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges.local.git import ZERO, GitFailed, git, line

STRICT = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")


@dataclass(frozen=True)
class Author:
    """Whose name is on a commit, and when (RFC 3339)."""

    name: str
    email: str
    at: str

    def environment(self) -> dict[str, str]:
        return {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.name), ("EMAIL", self.email), ("DATE", self.at))
        }


def checked_path(prefix: str, path: str) -> str:
    """A path below `prefix`. Raises Permanent('InvalidPath') for one that could leave it or reach into `.git`."""
    joined = f"{prefix.strip('/')}/{path}" if prefix.strip("/") else path
    parts = joined.split("/")
    bad = path.startswith("/") or "\\" in path or any(ord(sign) < 32 or ord(sign) == 127 for sign in path)  # noqa: PLR2004 - ASCII
    if bad or any(part in {"", ".", ".."} or _git_like(part) for part in parts):
        raise Permanent("InvalidPath", f"{path!r} is not a path inside the repository")
    return str(PurePosixPath(*parts))


def _git_like(part: str) -> bool:
    """Names that some file systems take for `.git` (git checks the rest when it writes the index)."""
    plain = part.casefold().rstrip(". ")
    return plain == ".git" or plain.startswith(("git~", ".git:"))


def content(file: File) -> bytes:
    """The bytes of a file. Raises Permanent('InvalidContent')."""
    if file.encoding == "utf-8":
        return file.content.encode()
    try:
        return base64.b64decode(file.content, validate=True)
    except binascii.Error as error:
        raise Permanent("InvalidContent", f"{file.path!r} is not base64") from error


def build_tree(
    folder: Path, parent: str | None, files: Mapping[str, File], *, clean: str | None = None
) -> str:
    """The tree of `parent` with `files` (path -> file) written into it. `clean`: first empty that folder ("": all).

    Raises Permanent('InvalidPath') when Git refuses a path, for example a file where a folder is wanted.
    """
    with TemporaryDirectory(prefix="pointsman-commit-") as temporary:
        scratch = Path(temporary)
        env = {"GIT_INDEX_FILE": str(scratch / "index")}
        if parent is not None:
            git(folder, "read-tree", parent, env=env)
        if clean is not None:
            _empty(folder, clean, env)
        entries = _entries(folder, scratch, files)
        try:
            git(folder, *STRICT, "update-index", "--replace", "-z", "--index-info", stdin=entries, env=env)
            return line(folder, *STRICT, "write-tree", env=env)
        except GitFailed as error:
            raise Permanent("InvalidPath", f"Git refuses the files: {error.message}") from error


def _empty(folder: Path, clean: str, env: Mapping[str, str]) -> None:
    listed = git(
        folder, "ls-files", "-z", "--cached", "--", *([f":(literal){clean}"] if clean else []), env=env
    )
    gone = b"".join(b"0 " + b"0" * 40 + b"\t" + path + b"\0" for path in listed.split(b"\0") if path)
    git(folder, "update-index", "-z", "--index-info", stdin=gone, env=env)


def _entries(folder: Path, scratch: Path, files: Mapping[str, File]) -> bytes:
    """Lines of `update-index --index-info`. Modes are 100644 and 100755 alone: no symlink, no submodule."""
    written = [path for path, file in sorted(files.items()) if not file.delete]
    for number, path in enumerate(written):
        (scratch / str(number)).write_bytes(content(files[path]))
    names = "".join(f"{scratch / str(number)}\n" for number in range(len(written))).encode()
    ids = (
        git(folder, "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names).decode().split()
        if written
        else []
    )
    lines = [f"0 {'0' * 40}\t{path}" for path, file in files.items() if file.delete]
    for path, sha in zip(written, ids, strict=True):
        lines.append(f"{'100755' if files[path].executable else '100644'} {sha}\t{path}")
    return "".join(f"{entry}\0" for entry in lines).encode()


def message_with(message: str, trailers: Mapping[str, str]) -> str:
    """The message with its trailers, as `git interpret-trailers` reads them back. Values are put on one line."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value.split()]
    body = message.strip()
    return f"{body}\n\n" + "\n".join(lines) + "\n" if lines else f"{body}\n"


def write_commit(
    folder: Path,
    tree: str,
    parents: list[str],
    message: str,
    author: Author,
    *,
    signing: tuple[str, ...] = (),
) -> str:
    """The commit object; the same arguments give the same id. `signing`: options from signing.options."""
    parent_options = [option for parent in parents for option in ("-p", parent)]
    sign = ["-S"] if signing else []
    return line(
        folder,
        *signing,
        "commit-tree",
        tree,
        *parent_options,
        *sign,
        "-F",
        "-",
        stdin=message.encode(),
        env=author.environment(),
    )


def move(folder: Path, ref: str, new: str, old: str) -> bool:
    """Point `ref` to `new` if it is at `old` (ZERO: does not exist yet). False when it was not."""
    try:
        git(folder, "update-ref", ref, new, old)
    except GitFailed:
        return False
    return True


def write_tag(
    folder: Path, name: str, target: str, message: str, author: Author, signing: tuple[str, ...]
) -> None:
    """A tag on `target`: annotated (and signed, when this machine can) with a message, else a plain one."""
    if not message.strip():
        move(folder, f"refs/tags/{name}", target, ZERO)
        return
    kind = "-s" if signing else "-a"
    git(
        folder,
        *signing,
        "tag",
        kind,
        "-F",
        "-",
        name,
        target,
        stdin=message.encode(),
        env=author.environment(),
    )
