"""`CommitFiles`: one commit through the Git Data API, on a head that may have moved (docs/adr/0010).

No author is said, so that GitHub signs what an App commits:
https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import (
    CONTENTS,
    GONE,
    MISSING,
    Entry,
    Ground,
    blob_sha,
    head_of,
    listing,
    ref_path,
    tree_of,
)
from bot.forges.paths import checked_branch, content
from bot.forges.trailers import message_with, trailers
from bot.forges.wanted import wanted as wanted_files

Json = dict[str, Any]
WORKFLOWS = ".github/workflows/"
EFFECT = "Effect-Id"
PROTECTED = (
    "protected",
    "rule violations",
    "through a pull request",
    "required status check",
    "approving review",
)
"""Parts of what GitHub answers when a branch takes changes only."""
SIGNER = "web-flow"
"""The account by which GitHub signs what it commits itself."""
LOOKED_AT = 100
"""Newest commits among which a commit whose answer was lost is looked for."""


def commit_files(
    ground: Ground, effect_id: str, effect: e.CommitFiles, context: EffectContext
) -> e.CommitResult:
    """One commit, on top of a head that may have moved as long as nobody touched the same files."""
    files, _ = wanted_files(effect, context)
    checked_branch(effect.branch)
    needs = _needs(files)
    ground.client.account.token(effect.repository, needs, {})  # refuses before anything is read
    head = head_of(ground, effect.repository, effect.branch)
    if head and (done := done_before(ground, effect.repository, head, effect_id)):
        return _committed(ground, effect, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    parent = head or _start(ground, effect)
    before = _files_at(ground, effect.repository, parent)
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(ground, effect, files, head)
    work = Work(ground, effect, needs)
    entries = work.entries(before, files)
    if not entries:
        if head is None:
            work.point(parent, None)
        return _committed(ground, effect, _commit(ground, effect.repository, parent), files=())
    made = work.commit(effect_id, parent, entries)
    work.point(made["sha"], head)
    return _committed(ground, effect, made, files=tuple(sorted(entry["path"] for entry in entries)))


class Work:
    """The writing part: blobs, tree, commit, ref."""

    def __init__(self, ground: Ground, effect: e.CommitFiles, needs: Needs) -> None:
        self._ground = ground
        self._effect = effect
        self._needs = needs

    def entries(self, before: Mapping[str, Entry], files: Mapping[str, e.File]) -> list[Json]:
        """What changes in the tree. Raises Permanent('InvalidPath') when paths are in each other's way."""
        below = f"{self._effect.prefix.strip('/')}/" if self._effect.prefix.strip("/") else ""
        cleaned = {path for path in before if self._effect.clean and path.startswith(below)}
        written = {path: file for path, file in files.items() if not file.delete}
        gone = (cleaned - written.keys()) | {path for path, file in files.items() if file.delete}
        _side_by_side((before.keys() - gone) | written.keys(), written.keys())
        deleted = [_entry(path, before[path].mode, sha=None) for path in sorted(gone & before.keys())]
        return deleted + [
            self._written(path, file) for path, file in written.items() if not _same(before.get(path), file)
        ]

    def _written(self, path: str, file: e.File) -> Json:
        mode = "100755" if file.executable else "100644"
        if file.encoding == "utf-8":
            return _entry(path, mode, content=file.content)
        body = {"content": base64.b64encode(content(file)).decode(), "encoding": "base64"}
        return _entry(path, mode, sha=self._send("POST", "/git/blobs", body)["sha"])

    def commit(self, effect_id: str, parent: str, entries: list[Json]) -> Json:
        """The commit object; no branch points to it yet."""
        base = tree_of(self._ground, self._effect.repository, parent)
        tree = self._send("POST", "/git/trees", {"base_tree": base, "tree": entries})["sha"]
        message = message_with(self._effect.message, {**self._effect.trailers, EFFECT: effect_id})
        said = {"message": message, "tree": tree, "parents": [parent]}
        made: Json = self._send("POST", "/git/commits", said)
        return made

    def point(self, sha: str, head: str | None) -> None:
        """Move the branch, or make it. Raises Retryable when somebody else moved it meanwhile."""
        branch = self._effect.branch
        try:
            if head is None:
                self._send("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
            else:
                self._send("PATCH", f"/git/refs/{ref_path('heads', branch)}", {"sha": sha, "force": False})
        except Answered as error:
            if error.says(*PROTECTED):
                where = f"{branch} of {self._effect.repository}"
                raise Permanent("ProtectedBranch", f"{where} is protected: a change is needed") from error
            raise Retryable(f"{branch} moved while it was being committed to") from error

    def _send(self, method: str, path: str, json: Json) -> Any:
        try:
            return self._ground.client.send(
                method, self._effect.repository, path, json, needs=self._needs
            ).json
        except Answered as error:
            if error.status == MISSING:  # it could be read a moment ago
                where = self._effect.repository
                raise Permanent("NoWriteAccess", f"{self._ground.login} may not push to {where}") from error
            raise


def _entry(path: str, mode: str, **what: str | None) -> Json:
    return {"path": path, "mode": mode, "type": "blob", **what}


def _same(there: Entry | None, file: e.File) -> bool:
    mode = "100755" if file.executable else "100644"
    return there is not None and there.mode == mode and there.sha == blob_sha(content(file))


def _side_by_side(paths: set[str], written: Any) -> None:
    """GitHub would silently let one replace the other."""
    folders = {path.rpartition("/")[0] for path in paths}
    while more := {folder.rpartition("/")[0] for folder in folders} - folders:
        folders |= more
    if both := sorted(folders & paths):
        new = sorted(
            path for path in written if any(path == one or path.startswith(f"{one}/") for one in both)
        )
        names = ", ".join(repr(path) for path in (new or both)[:5])
        raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")


def _needs(files: Mapping[str, e.File]) -> Needs:
    """Workflow files are a permission of their own."""
    workflows: Needs = {"workflows": "write"} if any(path.startswith(WORKFLOWS) for path in files) else {}
    return {**CONTENTS, **workflows}


def _start(ground: Ground, effect: e.CommitFiles) -> str:
    """Where a branch begins that is not there. A branch that should be there was deleted."""
    base = head_of(ground, effect.repository, effect.base)
    if effect.expected_head and effect.expected_head != base:
        raise Permanent("BranchDeleted", f"the branch {effect.branch} was deleted")
    if base is None:
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def _files_at(ground: Ground, repository: str, revision: str) -> Mapping[str, Entry]:
    tree = tree_of(ground, repository, revision)
    if tree is None:
        raise not_found(f"revision {revision} in {repository}")
    return listing(ground, repository, tree)


def _untouched_since(ground: Ground, effect: e.CommitFiles, files: Mapping[str, e.File], head: str) -> None:
    """Raise Permanent('HeadMoved') when somebody changed what this commit is about to write."""
    expected = str(effect.expected_head)
    if tree_of(ground, effect.repository, expected) is None:
        raise Permanent("HeadMoved", f"{effect.branch} has no revision {expected[:12]}")
    changed = changed_between(ground, effect.repository, expected, head)
    below = f"{effect.prefix.strip('/')}/" if effect.prefix.strip("/") else ""
    both = [path for path in changed if path in files or (effect.clean and path.startswith(below))]
    if both:
        raise Permanent(
            "HeadMoved",
            f"{effect.branch} moved from {expected[:12]} to {head[:12]}, "
            f"which changes {', '.join(both[:5])} as well",
        )


def changed_between(ground: Ground, repository: str, before: str, after: str) -> tuple[str, ...]:
    """Files that differ between two revisions. Trees tell all of them; a comparison ends at 300."""
    one, other = _files_at(ground, repository, before), _files_at(ground, repository, after)
    return tuple(sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path)))


def done_before(ground: Ground, repository: str, head: str, effect_id: str) -> Json | None:
    """The commit this effect made, if a reply was lost; not somebody else's with our mark on it."""
    try:
        newest = ground.client.get(repository, "/commits", params={"sha": head, "per_page": LOOKED_AT})
    except Answered as error:
        if error.status in GONE:
            return None
        raise
    for said in newest:
        marked = trailers(said["commit"]["message"]).get(EFFECT.lower()) == effect_id
        if marked and _is_ours(ground, repository, said):
            return {"sha": said["sha"], "parents": said["parents"], **said["commit"]}
    return None


def _is_ours(ground: Ground, repository: str, said: Json) -> bool:
    """Names in commits are claims. What an App commits, GitHub signs; of a user, GitHub knows the pushes."""
    if not ground.is_us(said.get("author")):
        return False
    if ground.client.is_app:
        # Anybody may sign a commit that names the bot as its author: the committer is who signed it.
        by = said.get("committer") or {}
        others = by.get("login") not in {None, SIGNER} and not ground.is_us(by)
        return bool((said["commit"].get("verification") or {}).get("verified")) and not others
    pushes = ground.client.get(repository, "/activity", params={"actor": ground.login, "per_page": 100})
    return any(push["after"] == said["sha"] for push in pushes)


def _commit(ground: Ground, repository: str, sha: str) -> Json:
    said: Json = ground.client.get(repository, f"/git/commits/{sha}")
    return said


def _committed(
    ground: Ground, effect: e.CommitFiles, made: Json, *, files: tuple[str, ...] | None = None
) -> e.CommitResult:
    """What a commit is: the same answer the first time and after a lost reply."""
    parent = made["parents"][0]["sha"] if made["parents"] else None
    if files is None:
        files = changed_between(ground, effect.repository, parent, made["sha"]) if parent else ()
    return e.CommitResult(
        sha=made["sha"],
        tree=made["tree"]["sha"],
        branch=effect.branch,
        parent=parent,
        signed=bool((made.get("verification") or {}).get("verified")),
        files=files,
        committed_at=rfc3339(datetime.fromisoformat(made["committer"]["date"])),
    )
