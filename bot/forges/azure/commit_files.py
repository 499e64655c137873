"""`CommitFiles`: one commit, marked by its effect's id, on a head that may have moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.azure.place import Place, Tree
from bot.forges.azure.pushing import (
    STALE,
    TIMES,
    begin,
    changed,
    committed,
    done_before,
    explained,
    known,
    pushed,
)
from bot.forges.azure.speech import Refusal
from bot.forges.paths import checked_branch, content
from bot.forges.trailers import message_with
from bot.forges.wanted import wanted as wanted_files


@dataclass(frozen=True)
class Wanted:
    """What is to be committed: bytes by path, None for a path to go; the moment on the commit."""

    files: Mapping[str, bytes | None]
    at: datetime


def commit_files(
    place: Place, effect_id: str, effect: e.CommitFiles, context: EffectContext
) -> e.CommitResult:
    """One commit, on top of a head that may have moved as long as nobody touched the same files."""
    checked_branch(effect.branch)
    files, moment = wanted_files(effect, context)
    # Git keeps no fractions of a second.
    wanted = Wanted(_bytes(files), (moment or datetime.now(UTC)).replace(microsecond=0))
    for _ in range(TIMES):
        try:
            return _commit(place, effect_id, effect, wanted)
        except Refusal as refusal:
            if not refusal.is_about(*STALE):
                raise explained(refusal, place, effect.branch) from refusal
    raise Retryable(f"{effect.branch} moved while it was being committed to")


def _bytes(files: dict[str, e.File]) -> dict[str, bytes | None]:
    return {path: None if file.delete else content(file) for path, file in files.items()}


def _commit(place: Place, effect_id: str, effect: e.CommitFiles, wanted: Wanted) -> e.CommitResult:
    head = place.head(effect.branch)
    if head and (done := done_before(place, head, effect_id)):
        return committed(place, effect.branch, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    parent = head or _start(place, effect)
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(place, effect, wanted, head)
    before = place.tree(known(place, parent).tree) if parent else {}
    changes = _changes(place, effect, wanted, before)
    if parent and not changes:
        if head is None:
            begin(place, effect.branch, parent)
        return committed(place, effect.branch, known(place, parent), files=())
    message = message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id})
    return pushed(place, effect.branch, parent=parent, changes=changes, message=message, at=wanted.at)


def _start(place: Place, effect: e.CommitFiles) -> str | None:
    """Where a branch begins that is not there. A branch that should be there was deleted."""
    base = place.head(effect.base)
    if effect.expected_head and effect.expected_head != base:
        raise Permanent("BranchDeleted", f"the branch {effect.branch} was deleted")
    if base is None and place.refs("heads/"):
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def _untouched_since(place: Place, effect: e.CommitFiles, wanted: Wanted, head: str) -> None:
    """Raise Permanent('HeadMoved') when somebody changed what this commit is about to write."""
    expected = effect.expected_head or ""
    if place.commit(expected) is None:
        raise Permanent("HeadMoved", f"{effect.branch} has no revision {expected[:12]}")
    below = _folder(effect)
    both = [
        path
        for path in place.changed(expected, head)
        if path in wanted.files or (effect.clean and path.startswith(below))
    ]
    if both:
        raise Permanent(
            "HeadMoved",
            f"{effect.branch} moved from {expected[:12]} to {head[:12]}, "
            f"which changes {', '.join(both[:5])} as well",
        )


def _folder(effect: e.CommitFiles) -> str:
    prefix = effect.prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def _changes(place: Place, effect: e.CommitFiles, wanted: Wanted, before: Tree) -> list[Any]:
    """What differs from the parent, in the API's words. Raises Permanent('InvalidPath')."""
    below = _folder(effect)
    gone = {path for path, data in wanted.files.items() if data is None}
    if effect.clean:
        gone |= {path for path in before if path.startswith(below) and path not in wanted.files}
    written = {path: data for path, data in wanted.files.items() if data is not None}
    _side_by_side((before.keys() - gone) | written.keys())
    wished = [*((path, None) for path in sorted(gone)), *sorted(written.items())]
    changes = [changed(place, path, data, before.get(path)) for path, data in wished]
    return [change for change in changes if change is not None]


def _side_by_side(paths: set[str]) -> None:
    folders = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/"}
    if both := sorted(paths & folders):
        names = ", ".join(repr(path) for path in both[:5])
        raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")
