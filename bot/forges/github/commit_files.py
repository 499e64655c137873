"""`CommitFiles`: one commit through the Git Data API, on a head that may have moved (docs/adr/0010).

No author is said, so that GitHub signs what an App commits:
https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import GONE, Entry, Ground, blob_sha, head_of, listing, tree_of
from bot.forges.github.writing import Writing, committed, gone, needs_of
from bot.forges.paths import checked_branch, content
from bot.forges.trailers import message_with, trailers
from bot.forges.wanted import wanted as wanted_files

Json = dict[str, Any]
EFFECT = "Effect-Id"
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
    needs = needs_of(tuple(files))
    ground.client.account.token(effect.repository, needs, {})  # refuses before anything is read
    head = head_of(ground, effect.repository, effect.branch)
    if head and (done := done_before(ground, effect.repository, head, effect_id)):
        return committed_before(ground, effect.repository, effect.branch, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    parent = head or start_of(ground, effect.repository, effect, effect.expected_head)
    before = files_at(ground, effect.repository, parent)
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(ground, effect, files, head)
    writing = Writing(ground, effect.repository, effect.branch, needs)
    entries = _entries(writing, effect, before, files)
    if not entries:
        if head is None:
            writing.point(parent, None)
        return committed(effect.branch, commit_of(ground, effect.repository, parent), ())
    message = message_with(effect.message, {**effect.trailers, EFFECT: effect_id})
    made = writing.commit(message, parent, entries)
    writing.point(made["sha"], head)
    return committed(effect.branch, made, tuple(sorted(entry["path"] for entry in entries)))


def _entries(
    writing: Writing, effect: e.CommitFiles, before: Mapping[str, Entry], files: Mapping[str, e.File]
) -> list[Json]:
    """What changes in the tree. Raises Permanent('InvalidPath') when paths are in each other's way."""
    below = f"{effect.prefix.strip('/')}/" if effect.prefix.strip("/") else ""
    cleaned = {path for path in before if effect.clean and path.startswith(below)}
    written = {path: file for path, file in files.items() if not file.delete}
    ended = (cleaned - written.keys()) | {path for path, file in files.items() if file.delete}
    _side_by_side((before.keys() - ended) | written.keys(), written.keys())
    deleted = [gone(path, before[path]) for path in sorted(ended & before.keys())]
    return deleted + [
        _written(writing, path, file) for path, file in written.items() if not _same(before.get(path), file)
    ]


def _written(writing: Writing, path: str, file: e.File) -> Json:
    mode = "100755" if file.executable else "100644"
    if file.encoding == "utf-8":
        return _entry(path, mode, content=file.content)
    body = {"content": base64.b64encode(content(file)).decode(), "encoding": "base64"}
    return _entry(path, mode, sha=writing.send("POST", "/git/blobs", body)["sha"])


def _entry(path: str, mode: str, **what: str | None) -> Json:
    return {"path": path, "mode": mode, "type": "blob", **what}


def _same(there: Entry | None, file: e.File) -> bool:
    mode = "100755" if file.executable else "100644"
    return there is not None and there.mode == mode and there.sha == blob_sha(content(file))


def _side_by_side(paths: set[str], written: Iterable[str]) -> None:
    """GitHub would silently let one replace the other."""
    if both := in_each_others_way(paths):
        new = sorted(
            path for path in written if any(path == one or path.startswith(f"{one}/") for one in both)
        )
        names = ", ".join(repr(path) for path in (new or both)[:5])
        raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")


def in_each_others_way(paths: set[str]) -> list[str]:
    """Those that would be a file and a folder."""
    folders = {path.rpartition("/")[0] for path in paths}
    while more := {folder.rpartition("/")[0] for folder in folders} - folders:
        folders |= more
    return sorted(folders & paths)


def start_of(
    ground: Ground, repository: str, effect: e.CommitFiles | e.RevertCommit, expected: str | None = None
) -> str:
    """Where a branch begins that is not there. A branch that should be there was deleted."""
    base = head_of(ground, repository, effect.base)
    if expected and expected != base:
        raise Permanent("BranchDeleted", f"the branch {effect.branch} was deleted")
    if base is None:
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def files_at(ground: Ground, repository: str, revision: str) -> Mapping[str, Entry]:
    """All files of a revision. Raises Permanent('NotFound')."""
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
    one, other = files_at(ground, repository, before), files_at(ground, repository, after)
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


def commit_of(ground: Ground, repository: str, sha: str) -> Json:
    """A commit as Git has it. Raises Answered."""
    said: Json = ground.client.get(repository, f"/git/commits/{sha}")
    return said


def committed_before(ground: Ground, repository: str, branch: str, made: Json) -> e.CommitResult:
    """A commit that was found again; what it changed is looked up."""
    parent = made["parents"][0]["sha"] if made["parents"] else None
    return committed(branch, made, changed_between(ground, repository, parent, made["sha"]) if parent else ())
