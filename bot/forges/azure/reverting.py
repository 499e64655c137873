"""`RevertCommit`: what a commit did is taken back by a commit of the bot's own.

The forge has a revert of its own (`reverts`), onto a branch of its own and with a message of its own: the
effect's mark and the trace would not be in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.azure.place import Place, Tree, plain_files
from bot.forges.azure.pushing import STALE, TIMES, changed, committed, done_before, explained, known, pushed
from bot.forges.azure.speech import Refusal
from bot.forges.paths import checked_branch
from bot.forges.trailers import message_with

MOST_FILES, MOST_BYTES = 1000, 16 * 1024 * 1024


@dataclass(frozen=True)
class Undone:
    """What a commit touched: the files as they were before it, and as it left them."""

    before: Tree
    left: Tree
    contents: Mapping[str, bytes]
    """Of `before`, by path."""

    @property
    def paths(self) -> list[str]:
        return sorted(self.before.keys() | self.left.keys())


def revert_commit(place: Place, effect_id: str, effect: e.RevertCommit) -> e.CommitResult:
    """One commit that takes `revision` back. Raises Permanent('RevertConflict'), 'RevisionMissing', ..."""
    checked_branch(effect.branch)
    undone = _undone(place, effect.revision)
    for _ in range(TIMES):
        try:
            return _revert(place, effect_id, effect, undone)
        except Refusal as refusal:
            if not refusal.is_about(*STALE):
                raise explained(refusal, place, effect.branch) from refusal
    raise Retryable(f"{effect.branch} moved while it was being committed to")


def _undone(place: Place, revision: str) -> Undone:
    """Of a merge, relative to its first parent."""
    commit = place.commit(revision)
    if commit is None:
        raise Permanent("RevisionMissing", f"there is no revision {revision} in {place.repository}")
    left = place.tree(commit.tree)
    before = place.tree(known(place, commit.parents[0]).tree) if commit.parents else {}
    touched = [path for path in left.keys() | before.keys() if left.get(path) != before.get(path)]
    was = plain_files({path: before[path] for path in touched if path in before}, revision)
    now = plain_files({path: left[path] for path in touched if path in left}, revision)
    if len(touched) > MOST_FILES or sum(entry.size for entry in was.values()) > MOST_BYTES:
        limits = f"{MOST_FILES} files and {MOST_BYTES // 1024 // 1024} MiB are reverted at most"
        raise Permanent("TooLarge", f"{revision[:12]} touched {len(touched)} files; {limits}")
    blobs = {sha: place.git("get_blob_content", sha1=sha) for sha in {entry.sha for entry in was.values()}}
    return Undone(was, now, {path: blobs[entry.sha] for path, entry in was.items()})


def _revert(place: Place, effect_id: str, effect: e.RevertCommit, undone: Undone) -> e.CommitResult:
    head = place.head(effect.branch)
    if head and (done := done_before(place, head, effect_id)):
        return committed(place, effect.branch, done)
    parent = head or place.head(effect.base)
    if parent is None:
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    there = place.tree(known(place, parent).tree)
    _as_it_left(effect, undone, there)
    changes = [changed(place, path, undone.contents.get(path), there.get(path)) for path in undone.paths]
    told = [change for change in changes if change is not None]
    if not told:
        raise Permanent(
            "NotSupported", f"{effect.revision[:12]} changed modes alone, which Azure DevOps' API cannot set"
        )
    message = message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id})
    at = datetime.now(UTC).replace(microsecond=0)
    return pushed(place, effect.branch, parent=parent, changes=told, message=message, at=at)


def _as_it_left(effect: e.RevertCommit, undone: Undone, there: Tree) -> None:
    """Raises Permanent('RevertConflict') when a file is not as the commit left it."""
    other = [path for path in undone.paths if _blob(there, path) != _blob(undone.left, path)]
    if other:
        raise Permanent(
            "RevertConflict",
            f"{effect.revision[:12]} cannot be taken back: {', '.join(other[:5])} changed after it",
        )


def _blob(tree: Tree, path: str) -> str:
    entry = tree.get(path)
    return entry.sha if entry else ""
