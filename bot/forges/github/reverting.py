"""`RevertCommit`: what a commit did, undone by a new one, when nobody has touched the same files since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges.github.commit_files import (
    EFFECT,
    commit_of,
    committed_before,
    done_before,
    files_at,
    in_each_others_way,
    start_of,
)
from bot.forges.github.errors import Answered
from bot.forges.github.ground import GONE, Entry, Ground, head_of
from bot.forges.github.writing import Writing, committed, gone, needs_of, same_as
from bot.forges.paths import checked_branch
from bot.forges.trailers import message_with

Json = dict[str, Any]
Files = Mapping[str, Entry]


def revert_commit(
    ground: Ground, effect_id: str, effect: e.RevertCommit, _context: EffectContext
) -> e.CommitResult:
    """Give every file that the revision touched back as its first parent had it. No bytes are sent for that:
    Git has them.
    """
    repository, branch = effect.repository, checked_branch(effect.branch)
    head = head_of(ground, repository, branch)
    if head and (done := done_before(ground, repository, head, effect_id)):
        return committed_before(ground, repository, branch, done)
    after, before = _did(ground, effect)
    parent = head or start_of(ground, repository, effect)
    entries = _undone(effect, after, before, files_at(ground, repository, parent))
    paths = tuple(sorted(entry["path"] for entry in entries))
    writing = Writing(ground, repository, branch, needs_of(paths))
    if not entries:  # it did nothing, or all of it is taken back
        if head is None:
            writing.point(parent, None)
        return committed(branch, commit_of(ground, repository, parent), ())
    message = message_with(effect.message, {**effect.trailers, EFFECT: effect_id})
    made = writing.commit(message, parent, entries)
    writing.point(made["sha"], head)
    return committed(branch, made, paths)


def _did(ground: Ground, effect: e.RevertCommit) -> tuple[Files, Files]:
    """The files of the revision, and those of its first parent. Raises Permanent('RevisionMissing')."""
    repository = effect.repository
    try:
        parents = commit_of(ground, repository, effect.revision)["parents"]
    except Answered as error:
        if error.status not in GONE:
            raise
        raise Permanent(
            "RevisionMissing", f"there is no revision {effect.revision} in {repository}"
        ) from error
    before = files_at(ground, repository, parents[0]["sha"]) if parents else {}
    return files_at(ground, repository, effect.revision), before


def _undone(effect: e.RevertCommit, after: Files, before: Files, now: Files) -> list[Json]:
    """What is to change in the tree. Raises Permanent('RevertConflict')."""
    touched = sorted(path for path in after.keys() | before.keys() if after.get(path) != before.get(path))
    left = [path for path in touched if now.get(path) != before.get(path)]
    others = [path for path in left if now.get(path) != after.get(path)]
    afterwards = (now.keys() - set(left)) | {path for path in left if path in before}
    if others := others or in_each_others_way(afterwards):
        raise Permanent(
            "RevertConflict",
            f"{effect.revision[:12]} cannot be taken back on {effect.branch}: "
            f"{', '.join(others[:5])} changed since",
        )
    return [same_as(path, before[path]) if path in before else gone(path, after[path]) for path in left]
