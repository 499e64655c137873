"""Commits and tags through Git's plumbing: what is said, who says it, the signature, the ref."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.forges.local.git import ZERO, GitFailed, git, line
from bot.forges.trailers import message_with

__all__ = ["Author", "message_with", "move", "write_commit", "write_tag"]


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
