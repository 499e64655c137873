"""`CommitFiles`: one commit through the pushes API, marked by its effect's id, on a head that may have moved.

The API cannot set the executable bit of a file: new files are committed without it, and one that has it keeps
it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.domain.performer import EffectContext
from bot.forges.azure.names import HEADS, ZERO
from bot.forges.azure.place import Commit, Entry, Place, Tree, blob_id, paths_of
from bot.forges.azure.speech import Refusal
from bot.forges.paths import checked_branch, content
from bot.forges.trailers import message_with, trailers
from bot.forges.wanted import wanted as wanted_files
from bot.messages import BOT

TIMES = 3
"""How often a push is built anew because somebody pushed in between."""
COMMITS_READ, BOTS_READ = 100, 20
MAIL = "pointsman@users.noreply.invalid"
STALE = ("GitReferenceStaleException", "TF401028")
PROTECTED = ("GitRefUpdateRejectedByPolicyException", "TF402455", "GitRefLockedException")
FORBIDDEN = ("GitNeedsPermissionException", "TF401027")


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
                raise _explained(refusal, place, effect) from refusal
    raise Retryable(f"{effect.branch} moved while it was being committed to")


def _explained(refusal: Refusal, place: Place, effect: e.CommitFiles) -> Exception:
    if refusal.is_about(*PROTECTED):
        return Permanent(
            "ProtectedBranch", f"{effect.branch} of {place.repository} is protected: a change is needed"
        )
    if refusal.is_about(*FORBIDDEN):
        return Permanent(
            "NoWriteAccess",
            f"{BOT} has no write permission in {place.repository}: give its account Contribute there",
        )
    return refusal


def _bytes(files: dict[str, e.File]) -> dict[str, bytes | None]:
    return {path: None if file.delete else content(file) for path, file in files.items()}


def _commit(place: Place, effect_id: str, effect: e.CommitFiles, wanted: Wanted) -> e.CommitResult:
    head = place.head(effect.branch)
    if head and (done := _done_before(place, head, effect_id)):
        return _committed(place, effect.branch, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    parent = head or _start(place, effect)
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(place, effect, wanted, head)
    before = place.tree(_known(place, parent).tree) if parent else {}
    changes = _changes(place, effect, wanted, before)
    if parent and not changes:
        if head is None:
            _begin(place, effect.branch, parent)
        return _committed(place, effect.branch, _known(place, parent), files=())
    return _pushed(place, effect_id, effect, wanted, Step(head, parent, changes))


@dataclass(frozen=True)
class Step:
    """From where to where: the branch's head (None: it is new), the parent, the changes."""

    head: str | None
    parent: str | None
    changes: list[Any]


def _known(place: Place, sha: str) -> Commit:
    found = place.commit(sha)
    if found is None:
        raise Retryable(f"{sha[:12]} is the head of a branch and cannot be read yet")
    return found


def _done_before(place: Place, head: str, effect_id: str) -> Commit | None:
    """The commit this effect made, if a reply was lost; not somebody else's with our mark on it.

    Lists shorten messages, so the bot's own commits are read one by one where that happened.
    """
    version = place.model("GitVersionDescriptor", version=head, version_type="commit")
    criteria = place.model("GitQueryCommitsCriteria", item_version=version)
    listed = place.git("get_commits", search_criteria=criteria, top=COMMITS_READ)
    ours = [one for one in listed if (one.author.email or "").lower() == _mail(place)]
    for one in ours[:BOTS_READ]:
        if one.comment_truncated or trailers(one.comment or "").get("effect-id") == effect_id:
            found = place.commit(one.commit_id)
            if found and trailers(found.message).get("effect-id") == effect_id and is_ours(place, found):
                return found
    return None


def is_ours(place: Place, commit: Commit) -> bool:
    """Anybody can write a name on a commit; who pushed it, the forge knows."""
    return place.client.people.login(commit.pushed_by) == BOT


def _mail(place: Place) -> str:
    unique = place.client.people.bot
    return unique.lower() if "@" in unique else MAIL


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
    changes = [_change(place, "delete", path) for path in sorted(gone & before.keys())]
    for path, data in sorted(written.items()):
        if path not in before:
            changes.append(_change(place, "add", path, data))
        elif before[path].sha != blob_id(data):
            _is_file(path, before[path])
            changes.append(_change(place, "edit", path, data))
    return changes


def _side_by_side(paths: set[str]) -> None:
    folders = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/"}
    if both := sorted(paths & folders):
        names = ", ".join(repr(path) for path in both[:5])
        raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")


def _is_file(path: str, entry: Entry) -> None:
    if not entry.mode.startswith("100"):
        raise Permanent("InvalidPath", f"{path!r} is a symbolic link or a submodule, not a file")


def _change(place: Place, kind: str, path: str, data: bytes | None = None) -> Any:
    item = {"path": f"/{path}"}
    if data is None:
        return place.model("Change", change_type=kind, item=item)
    encoded = base64.b64encode(data).decode()
    body = place.model("ItemContent", content=encoded, content_type="base64encoded")
    return place.model("Change", change_type=kind, item=item, new_content=body)


def _begin(place: Place, branch: str, at: str) -> None:
    update = place.model("GitRefUpdate", name=HEADS + branch, old_object_id=ZERO, new_object_id=at)
    for result in place.git("update_refs", ref_updates=[update]):
        refused(result)


def refused(result: Any) -> None:
    """Raise the Refusal that a ref's update is answered with: the whole request succeeds all the same."""
    if result.success:
        return
    keys = {
        "staleOldObjectId": "GitReferenceStaleException",
        "writePermissionRequired": "GitNeedsPermissionException",
        "createBranchPermissionRequired": "GitNeedsPermissionException",
        "createTagPermissionRequired": "GitNeedsPermissionException",
        "rejectedByPolicy": "GitRefUpdateRejectedByPolicyException",
    }
    status = str(result.update_status)
    raise Refusal(409, keys.get(status, status), result.custom_message or f"{result.name}: {status}")


def _pushed(
    place: Place, effect_id: str, effect: e.CommitFiles, wanted: Wanted, step: Step
) -> e.CommitResult:
    """A new branch begins at the commit that is given as its old one."""
    author = place.model("GitUserDate", name=BOT, email=_mail(place), date=wanted.at)
    commit = place.model(
        "GitCommitRef",
        comment=message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id}),
        changes=step.changes,
        author=author,
        committer=author,
    )
    update = place.model("GitRefUpdate", name=HEADS + effect.branch, old_object_id=step.parent or ZERO)
    pushed = place.git("create_push", push=place.model("GitPush", ref_updates=[update], commits=[commit]))
    return _committed(place, effect.branch, _known(place, pushed.commits[0].commit_id))


def _committed(
    place: Place, branch: str, commit: Commit, *, files: tuple[str, ...] | None = None
) -> e.CommitResult:
    """What a commit is, read back: the same answer the first time and after a lost reply."""
    if files is None:
        files = _files_of(place, commit)
    return e.CommitResult(
        sha=commit.sha,
        tree=commit.tree,
        branch=branch,
        parent=commit.parents[0] if commit.parents else None,
        files=files,
        committed_at=rfc3339(commit.committed_at),
    )


def _files_of(place: Place, commit: Commit) -> tuple[str, ...]:
    def ask(skip: int, top: int) -> list[Any]:
        return list(place.git("get_changes", commit_id=commit.sha, skip=skip, top=top).changes or ())

    return tuple(sorted({path for change in place.client.skipping(ask) for path in paths_of(change)}))
