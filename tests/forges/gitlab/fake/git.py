"""The bare repositories under the stand-in: real Git."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.forges.local.git import ZERO, git, line, run

Json = dict[str, Any]
SEPARATOR = "\x1e"
FORMAT = f"--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B{SEPARATOR}"


class Refused(Exception):
    """Gitaly does not do this; the text is its own."""


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class Repo:
    """One bare repository."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Repo:
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
        return cls(folder)

    def head(self, branch: str) -> str | None:
        done = run(self.folder, "show-ref", "--verify", "--hash", "--", f"refs/heads/{branch}")
        return done.stdout.decode().strip() or None

    def branches(self) -> list[str]:
        listed = git(self.folder, "for-each-ref", "--format=%(refname:strip=2)", "refs/heads").decode()
        return listed.split()

    def containing(self, sha: str) -> list[str]:
        listed = git(
            self.folder, "for-each-ref", f"--contains={sha}", "--format=%(refname:strip=2)", "refs/heads"
        )
        return listed.decode().split()

    def tags(self) -> dict[str, tuple[str, str]]:
        """Tag -> its object, its commit."""
        form = "%(refname:strip=2) %(objectname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        listed = git(self.folder, "for-each-ref", f"--format={form}", "refs/tags").decode().splitlines()
        return {name: (sha, commit) for name, sha, commit in (text.split() for text in listed)}

    def resolve(self, revision: str) -> str | None:
        done = run(
            self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return done.stdout.decode().strip() or None

    def commits(self, *arguments: str, limit: int = 1000) -> list[Json]:
        printed = git(self.folder, "log", f"--max-count={limit}", FORMAT, *arguments, "--").decode(
            errors="replace"
        )
        return [self._commit(text) for text in printed.split(SEPARATOR) if text.strip()]

    def commit(self, sha: str) -> Json:
        return self.commits(sha, limit=1)[0]

    def _commit(self, text: str) -> Json:
        sha, parents, an, ae, ad, cn, ce, cd, message = text.lstrip("\n").split("\x00")
        return {
            "id": sha, "parents": parents.split(), "author_name": an, "author_email": ae, "authored_date": ad,
            "committer_name": cn, "committer_email": ce, "committed_date": cd, "message": message.rstrip("\n"),
        }  # fmt: skip

    def ancestor(self, older: str, newer: str) -> bool:
        return run(self.folder, "merge-base", "--is-ancestor", older, newer).returncode == 0

    def merge_base(self, one: str, other: str) -> str:
        return line(self.folder, "merge-base", one, other).split("\n")[0]

    def entries(self, revision: str, path: str = "", *, deep: bool = False) -> list[Json] | None:
        """The tree API's entries; None when there is no such folder."""
        done = run(self.folder, "ls-tree", "-z", *(["-r", "-t"] if deep else []), f"{revision}:{path}")
        if done.returncode:
            return None
        found = []
        for text in done.stdout.decode().split("\0"):
            if text:
                about, _, name = text.partition("\t")
                mode, kind, sha = about.split()
                where = f"{path}/{name}" if path else name
                found.append(
                    {"id": sha, "name": name.rpartition("/")[2], "type": kind, "path": where, "mode": mode}
                )
        return found

    def blob(self, sha: str) -> bytes:
        return git(self.folder, "cat-file", "blob", sha)

    def file(self, revision: str, path: str) -> tuple[str, str, bytes] | None:
        """Blob id, mode and content."""
        listed = run(self.folder, "ls-tree", "-z", revision, "--", path).stdout.decode().rstrip("\0")
        if not listed or " blob " not in listed:
            return None
        mode, _, sha = listed.partition("\t")[0].split()
        return sha, mode, self.blob(sha)

    def diff(self, older: str, newer: str) -> list[Json]:
        """Renames are found, as GitLab does."""
        printed = git(self.folder, "diff-tree", "-r", "-z", "-M", older, newer).decode().split("\0")
        texts = self._texts(older, newer)
        found, at = [], 0
        while at < len(printed) and printed[at]:
            old_mode, new_mode, _, _, kind = printed[at].lstrip(":").split()
            renamed = kind[0] in {"R", "C"}
            old, new = printed[at + 1], printed[at + 2] if renamed else printed[at + 1]
            at += 3 if renamed else 2
            found.append(
                {
                    "old_path": old, "new_path": new, "a_mode": old_mode, "b_mode": new_mode,
                    "diff": texts.get(new, ""), "collapsed": False, "too_large": False,
                    "new_file": kind == "A", "renamed_file": renamed, "deleted_file": kind == "D",
                }
            )  # fmt: skip
        return found

    def _texts(self, older: str, newer: str) -> dict[str, str]:
        """The hunks of each file, by its new path."""
        printed = git(
            self.folder, "-c", "core.quotePath=false", "diff-tree", "-r", "-p", "-M", older, newer
        ).decode(errors="replace")
        found = {}
        for part in printed.split("diff --git a/")[1:]:
            head, _, hunks = part.partition("\n@@")
            path = head.partition("\n")[0].partition(" b/")[2]
            found[path] = f"@@{hunks}" if hunks else ""
        return found

    def patch(self, base: str, head: str) -> str:
        diff = git(self.folder, "diff-tree", "-r", "-p", base, head)
        return line(self.folder, "patch-id", "--stable", stdin=diff).split(" ")[0]

    def archive(self, sha: str, prefix: str, path: str) -> bytes:
        where = [path] if path else []
        return git(self.folder, "archive", "--format=tar.gz", f"--prefix={prefix}/", sha, *where)

    # Writing

    def write(
        self,
        tree: str,
        parents: list[str],
        message: str,
        committer: Person,
        author: Person | None = None,
        at: str = "",
    ) -> str:
        author = author or committer
        env = {
            "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email,
        } | ({"GIT_AUTHOR_DATE": at} if at else {})  # fmt: skip
        options = [option for parent in parents for option in ("-p", parent)]
        return line(self.folder, "commit-tree", tree, *options, "-F", "-", stdin=message.encode(), env=env)

    def tree(self, sha: str) -> str:
        return line(self.folder, "rev-parse", f"{sha}^{{tree}}")

    @contextmanager
    def index(self, start: str | None) -> Iterator[Index]:
        with TemporaryDirectory() as scratch:
            index = Index(self, {"GIT_INDEX_FILE": f"{scratch}/index"})
            if start:
                git(self.folder, "read-tree", start, env=index.env)
            yield index

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        done = run(self.folder, "merge-tree", "--write-tree", "--no-messages", ours, theirs)
        return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None

    def rebased(self, head: str, onto: str, committer: Person) -> str | None:
        """The commits of `head` that `onto` has not, on top of it; None for a conflict."""
        for commit in reversed(self.commits(head, f"^{onto}", "--no-merges", "--topo-order")):
            base = self.write(self.tree(commit["parents"][0]), [], "base", committer)
            ours = self.write(self.tree(onto), [base], "ours", committer)
            theirs = self.write(self.tree(commit["id"]), [base], "theirs", committer)
            tree = self.merged_tree(ours, theirs)
            if tree is None:
                return None
            author = Person(commit["author_name"], commit["author_email"])
            onto = self.write(tree, [onto], commit["message"], committer, author, commit["authored_date"])
        return onto

    def move(self, ref: str, new: str, old: str) -> None:
        git(self.folder, "update-ref", ref, new, old)


@dataclass(frozen=True)
class Index:
    repo: Repo
    env: dict[str, str]

    def has(self, path: str) -> bool:
        return bool(self._list(path))

    def _list(self, path: str) -> str:
        return git(self.repo.folder, "ls-files", "-z", "-s", "--", f":(literal){path}", env=self.env).decode()

    def is_file(self, path: str) -> bool:
        return self._list(path).rstrip("\0").endswith(f"\t{path}") and "\0" not in self._list(path).rstrip(
            "\0"
        )

    def put(self, path: str, content: bytes, mode: str) -> None:
        sha = line(self.repo.folder, "hash-object", "-w", "--stdin", stdin=content)
        self._update(f"{mode} {sha}\t{path}\0")

    def remove(self, path: str) -> None:
        self._update(f"0 {ZERO}\t{path}\0")

    def mode(self, path: str, mode: str) -> None:
        sha = self._list(path).split()[1]
        self._update(f"{mode} {sha}\t{path}\0")

    def mode_of(self, path: str) -> str:
        return self._list(path).split()[0]

    def _update(self, text: str) -> None:
        strict = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
        git(
            self.repo.folder, *strict, "update-index", "-z", "--index-info", stdin=text.encode(), env=self.env
        )

    def tree(self) -> str:
        return line(self.repo.folder, "write-tree", env=self.env)
