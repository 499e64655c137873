"""One repository, and what Git has in it, read through the API."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from bot.domain.errors import Permanent
from bot.forges.azure.client import Client
from bot.forges.azure.names import HEADS, Repository, branch_of, change_url
from bot.forges.azure.speech import Refusal

SHA = re.compile(r"[0-9a-f]{40}")
FILE_MODES = {"100644", "100755"}


@dataclass(frozen=True)
class Commit:
    """One commit; addresses in small letters."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    committer: str
    committed_at: datetime
    pushed_by: str
    """The unique name of who brought it."""


@dataclass(frozen=True)
class Entry:
    """A file of a tree."""

    mode: str
    sha: str
    size: int


Tree = Mapping[str, Entry]


@dataclass(frozen=True)
class Place:
    """A repository as the bot sees it. Reading nothing until asked."""

    client: Client
    repository: Repository

    def git(self, method: str, **named: Any) -> Any:
        """A method of the SDK's Git client, on this repository. Raises Refusal."""
        return getattr(self.client.git, method)(
            repository_id=self.repository.name, project=self.repository.project, **named
        )

    def every(self, method: str, **named: Any) -> Iterator[Any]:
        """All that a method with continuation tokens lists."""
        return self.client.pages(
            getattr(self.client.git, method),
            repository_id=self.repository.name,
            project=self.repository.project,
            **named,
        )

    def all_of(self, method: str, **named: Any) -> Iterator[Any]:
        """All that a method with `skip` and `top` lists."""
        return self.client.skipping(
            getattr(self.client.git, method),
            repository_id=self.repository.name,
            project=self.repository.project,
            **named,
        )

    def model(self, name: str, /, **values: Any) -> Any:
        return self.client.model("git", name, **values)

    def policies(self, **wanted: str) -> list[Any]:
        """The branch policies of the repository that are on and block."""

        def ask(**named: Any) -> list[Any]:
            found = self.client.git.get_policy_configurations(**named)
            return list(found.policy_configurations or ())

        listed = self.client.pages(
            ask, project=self.repository.project, repository_id=self.about.id, **wanted
        )
        return [one for one in listed if one.is_enabled and one.is_blocking and not one.is_deleted]

    @cached_property
    def about(self) -> Any:
        """The repository itself: id, project, default branch. Raises Refusal (404)."""
        return self.git("get_repository")

    @property
    def default_branch(self) -> str:
        return branch_of(self.about.default_branch) or "main"

    def url(self, number: int) -> str:
        """The page of a change."""
        return change_url(self.client.organisation, self.repository, number)

    def refs(self, prefix: str) -> dict[str, Any]:
        """Refs whose name begins with `prefix` (without `refs/`), by full name."""
        return {ref.name: ref for ref in self.every("get_refs", filter=prefix, peel_tags=True)}

    def head(self, branch: str) -> str | None:
        """The head of a branch, or None."""
        found = self.refs(f"heads/{branch}").get(HEADS + branch)
        return found.object_id if found else None

    def commit(self, sha: str) -> Commit | None:
        """A commit by its full id, or None."""
        if not SHA.fullmatch(sha):
            return None
        try:
            found = self.git("get_commit", commit_id=sha)
        except Refusal as refusal:
            if refusal.status in {400, 404}:
                return None
            raise
        return commit_of(found)

    def tree(self, tree: str) -> dict[str, Entry]:
        """The files of a tree by path; folders are left out, links and submodules are not."""
        found = self.git("get_tree", sha1=tree, recursive=True)
        return {
            entry.relative_path: Entry(entry.mode.rjust(6, "0"), entry.object_id, entry.size or 0)
            for entry in found.tree_entries or ()
            if entry.git_object_type != "tree"
        }

    def read(self, revision: str, path: str) -> str | None:
        """A text file at a revision, or None when there is none."""
        version = self.model("GitVersionDescriptor", version=revision, version_type="commit")
        try:
            found: bytes = self.git("get_item_content", path=f"/{path}", version_descriptor=version)
        except Refusal as refusal:
            if refusal.status == 404:  # noqa: PLR2004 - HTTP
                return None
            raise
        return found.decode(errors="replace")

    def changed(self, before: str, after: str, *, since_parting: bool = False) -> tuple[str, ...]:
        """Files that differ between two commits; with `since_parting`, from where `after` left `before`."""
        found: set[str] = set()
        base = self.model("GitBaseVersionDescriptor", base_version=before, base_version_type="commit")
        target = self.model("GitTargetVersionDescriptor", target_version=after, target_version_type="commit")

        def ask(skip: int, top: int) -> list[Any]:
            return list(
                self.git(
                    "get_commit_diffs",
                    diff_common_commit=since_parting,
                    base_version_descriptor=base,
                    target_version_descriptor=target,
                    skip=skip,
                    top=top,
                ).changes
                or ()
            )

        for change in self.client.skipping(ask):
            found.update(paths_of(change))
        return tuple(sorted(found))

    def parted(self, one: str, other: str) -> str:
        """The last commit that two have in common."""
        base = self.model("GitBaseVersionDescriptor", base_version=one, base_version_type="commit")
        target = self.model("GitTargetVersionDescriptor", target_version=other, target_version_type="commit")
        found = self.git(
            "get_commit_diffs", base_version_descriptor=base, target_version_descriptor=target, top=1
        )
        return str(found.common_commit or "")

    def contents(self, tree: str, wanted: Tree) -> dict[str, bytes]:
        """The bytes of files by blob id: in one archive of the tree, checked against the ids, and one by one
        what that leaves out.
        """
        ids = {entry.sha for entry in wanted.values()}
        found = {sha: data for sha, data in self._archived(tree) if sha in ids}
        for sha in ids - found.keys():
            found[sha] = self.git("get_blob_content", sha1=sha)
        return found

    def _archived(self, tree: str) -> Iterator[tuple[str, bytes]]:
        packed: bytes = self.git("get_tree_zip", sha1=tree, recursive=True)
        try:
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                for name in archive.namelist():
                    data = archive.read(name)
                    yield blob_id(data), data
        except zipfile.BadZipFile:  # then every file is asked for by itself
            return


def blob_id(data: bytes) -> str:
    """What Git calls a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def commit_of(found: Any) -> Commit:
    """A commit of the API as ours."""
    pusher = found.push.pushed_by if found.push else None
    return Commit(
        sha=found.commit_id,
        tree=getattr(found, "tree_id", None) or "",
        parents=tuple(found.parents or ()),
        message=(found.comment or "").replace("\r\n", "\n"),
        author=(found.author.email or "").lower(),
        committer=(found.committer.email or "").lower(),
        committed_at=found.committer.date,
        pushed_by=(pusher.unique_name or "") if pusher else "",
    )


def paths_of(change: Mapping[str, Any]) -> Iterator[str]:
    """The path of a changed file, and the one it had before."""
    item = change["item"]
    if item.get("gitObjectType") == "tree" or item.get("isFolder"):
        return
    for path in (item["path"], change.get("sourceServerItem")):
        if path:
            yield str(path).lstrip("/")


def plain_files(tree: Tree, revision: str) -> Tree:
    """The same files. Raises Permanent('SymlinkRefused') when something else is among them."""
    for path, entry in tree.items():
        if entry.mode not in FILE_MODES:
            raise Permanent(
                "SymlinkRefused", f"{path!r} in {revision[:12]} is a symbolic link or a submodule, not a file"
            )
    return tree
