"""The Git of a repository on the fake: a bare one, driven by the real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ZERO = "0" * 40


class GitFailed(Exception):
    """git said no."""


@dataclass(frozen=True)
class Signature:
    """Whose name is on a commit; `at` as git reads it, empty for now."""

    name: str
    email: str
    at: str = ""


@dataclass(frozen=True)
class Git:
    """One bare repository."""

    folder: Path

    def run(self, *arguments: str, stdin: bytes = b"", **env: str) -> bytes:
        clean = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            input=stdin,
            env=clean | env,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitFailed((done.stderr or done.stdout).decode(errors="replace"))
        return done.stdout

    def line(self, *arguments: str, stdin: bytes = b"", **env: str) -> str:
        return self.run(*arguments, stdin=stdin, **env).decode(errors="replace").strip()

    @classmethod
    def made(cls, folder: Path) -> Git:
        folder.mkdir(parents=True)
        made = cls(folder)
        made.run("init", "--quiet", "--bare", "--initial-branch=main")
        return made

    def resolve(self, name: str) -> str | None:
        """The commit a name stands for."""
        try:
            return (
                self.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
                or None
            )
        except GitFailed:
            return None

    def ref(self, ref: str) -> str | None:
        """What a full ref points to."""
        try:
            return self.line("rev-parse", "--verify", "--quiet", "--end-of-options", ref) or None
        except GitFailed:
            return None

    def kind(self, sha: str) -> str | None:
        try:
            return self.line("cat-file", "-t", sha)
        except GitFailed:
            return None

    def tree(self, sha: str) -> str:
        return self.line("rev-parse", f"{sha}^{{tree}}")

    def blob(self, content: bytes) -> str:
        return self.line("hash-object", "-w", "--stdin", stdin=content)

    def listing(self, tree: str, *, recursive: bool = True) -> list[tuple[str, str, str, int | None, str]]:
        """mode, type, sha, size, path."""
        options = ["-r", "-t"] if recursive else []
        found = []
        for text in self.run("ls-tree", *options, "-l", "-z", "--full-tree", tree).decode().split("\0"):
            if text:
                about, _, path = text.partition("\t")
                mode, kind, sha, size = about.split()
                found.append((mode, kind, sha, None if size == "-" else int(size), path))
        return found

    def write_tree(self, base: str | None, entries: list[tuple[str, str | None, str]]) -> str:
        """A tree with (mode, sha or None, path) put into `base`."""
        with TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": f"{scratch}/index"}
            if base:
                self.run("read-tree", base, **index)
            lines = [
                f"{mode if sha else '0'} {sha or ZERO}\t{path}".encode() + b"\0"
                for mode, sha, path in entries
            ]
            self.run(
                "update-index", "-z", "--add", "--replace", "--index-info", stdin=b"".join(lines), **index
            )
            return self.line("write-tree", **index)

    def commit(
        self, tree: str, parents: list[str], message: str, author: Signature, committer: Signature
    ) -> str:
        options = [option for parent in parents for option in ("-p", parent)]
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
        }
        env |= {
            f"GIT_{who}_DATE": at for who, at in (("AUTHOR", author.at), ("COMMITTER", committer.at)) if at
        }
        return self.line("commit-tree", tree, *options, "-F", "-", stdin=message.encode(), **env)

    def point(self, ref: str, sha: str | None) -> None:
        if sha is None:
            self.run("update-ref", "-d", ref)
        else:
            self.run("update-ref", ref, sha)

    def log(self, *revisions: str, limit: int = 1000, skip: int = 0) -> list[str]:
        listed = self.line("rev-list", f"--max-count={limit}", f"--skip={skip}", *revisions, "--")
        return listed.split()

    def about(self, sha: str) -> dict[str, str]:
        form = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        said = self.run("show", "-s", f"--format={form}", sha).decode(errors="replace").split("\0", 8)
        names = ("tree", "parents", "an", "ae", "at", "cn", "ce", "ct", "message")
        return dict(zip(names, said, strict=True)) | {"message": said[8].strip("\n")}

    def merge_base(self, one: str, other: str) -> str | None:
        try:
            return self.line("merge-base", one, other)
        except GitFailed:
            return None

    def is_ancestor(self, older: str, newer: str) -> bool:
        try:
            self.run("merge-base", "--is-ancestor", older, newer)
        except GitFailed:
            return False
        return True

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of both, or None when they are in each other's way."""
        try:
            return self.line("merge-tree", "--write-tree", "--no-messages", ours, theirs)
        except GitFailed:
            return None

    def changed(self, before: str | None, after: str) -> list[tuple[str, str, str | None]]:
        """status, path, previous path."""
        if before is None:
            return [("added", path, None) for *_, path in self.listing(after, recursive=True)]
        said = self.run("diff-tree", "-r", "-z", "-M", "--name-status", before, after).decode().split("\0")
        found, at = [], 0
        words = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}
        while at < len(said) - 1:
            if said[at].startswith("R"):
                found.append(("renamed", said[at + 2], said[at + 1]))
                at += 3
            else:
                found.append((words[said[at][0]], said[at + 1], None))
                at += 2
        return found

    def lines(self, before: str | None, after: str) -> tuple[int, int]:
        """Lines added and removed."""
        if before is None:
            return 0, 0
        said = [
            line.split("\t")[:2]
            for line in self.line("diff-tree", "-r", "--numstat", before, after).splitlines()
        ]
        counted = [(int(added), int(removed)) for added, removed in said if added != "-"]
        return sum(added for added, _ in counted), sum(removed for _, removed in counted)

    def text(self, expression: str) -> tuple[str, bytes] | None:
        """sha and bytes of `revision:path`."""
        try:
            sha = self.line("rev-parse", "--verify", "--quiet", "--end-of-options", expression)
            return (sha, self.run("cat-file", "blob", sha)) if self.kind(sha) == "blob" else None
        except GitFailed:
            return None
