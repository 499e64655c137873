"""Commits through the pushes API: found again by the effect's mark, made on a parent, read back.

A new file is committed without the executable bit, as the API has no modes; one that has it keeps it.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.forges.azure.names import HEADS, ZERO
from bot.forges.azure.place import Commit, Entry, Place, blob_id, paths_of
from bot.forges.azure.speech import Refusal
from bot.forges.trailers import trailers
from bot.messages import BOT

TIMES = 3
"""How often a push is built anew because somebody pushed in between."""
COMMITS_READ, BOTS_READ = 100, 20
MAIL = "pointsman@users.noreply.invalid"
STALE = ("GitReferenceStaleException", "TF401028")
PROTECTED = ("GitRefUpdateRejectedByPolicyException", "TF402455", "GitRefLockedException")
FORBIDDEN = ("GitNeedsPermissionException", "TF401027")


def explained(refusal: Refusal, place: Place, branch: str) -> Exception:
    """What a refused push means."""
    if refusal.is_about(*PROTECTED):
        return Permanent(
            "ProtectedBranch", f"{branch} of {place.repository} is protected: a change is needed"
        )
    if refusal.is_about(*FORBIDDEN):
        return Permanent(
            "NoWriteAccess",
            f"{BOT} has no write permission in {place.repository}: give its account Contribute there",
        )
    return refusal


def known(place: Place, sha: str) -> Commit:
    """The commit at the head of a branch. Raises Retryable: it may not be readable yet."""
    found = place.commit(sha)
    if found is None:
        raise Retryable(f"{sha[:12]} is the head of a branch and cannot be read yet")
    return found


def done_before(place: Place, head: str, effect_id: str) -> Commit | None:
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


def changed(place: Place, path: str, data: bytes | None, there: Entry | None) -> Any | None:
    """The change that makes a file have these bytes, or None for no file; None when it is so already.

    Raises Permanent('InvalidPath') for what is no file.
    """
    if data is None:
        return None if there is None else _change(place, "delete", path)
    if there is None:
        return _change(place, "add", path, data)
    if there.sha == blob_id(data):
        return None
    if not there.mode.startswith("100"):
        raise Permanent("InvalidPath", f"{path!r} is a symbolic link or a submodule, not a file")
    return _change(place, "edit", path, data)


def _change(place: Place, kind: str, path: str, data: bytes | None = None) -> Any:
    item = {"path": f"/{path}"}
    if data is None:
        return place.model("Change", change_type=kind, item=item)
    encoded = base64.b64encode(data).decode()
    body = place.model("ItemContent", content=encoded, content_type="base64encoded")
    return place.model("Change", change_type=kind, item=item, new_content=body)


def begin(place: Place, branch: str, at: str) -> None:
    """A new branch at a commit. Raises Refusal."""
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


def pushed(
    place: Place, branch: str, *, parent: str | None, changes: list[Any], message: str, at: datetime
) -> e.CommitResult:
    """One commit on `branch`. Raises Refusal.

    A new branch begins at the commit that is given as its old one.
    """
    author = place.model("GitUserDate", name=BOT, email=_mail(place), date=at)
    commit = place.model("GitCommitRef", comment=message, changes=changes, author=author, committer=author)
    update = place.model("GitRefUpdate", name=HEADS + branch, old_object_id=parent or ZERO)
    made = place.git("create_push", push=place.model("GitPush", ref_updates=[update], commits=[commit]))
    return committed(place, branch, known(place, made.commits[0].commit_id))


def committed(
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
