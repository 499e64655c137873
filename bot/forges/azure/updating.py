"""`UpdateBranch`: the target's newest commits come into a change's branch by a merge commit.

The forge makes the commit (`merges`), some time after it was asked; then the branch is moved to it, if it is
still where it was.
"""

from __future__ import annotations

import time
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.forges.azure import changes
from bot.forges.azure.merging import WAITS_S, conflict
from bot.forges.azure.names import HEADS
from bot.forges.azure.place import Commit, Place
from bot.forges.azure.pushing import FORBIDDEN, STALE, is_ours, refused
from bot.forges.azure.speech import Refusal
from bot.forges.trailers import message_with, trailers
from bot.messages import BOT

ENDED = {"completed", "failed", "abandoned"}


def update_branch(place: Place, effect_id: str, effect: e.UpdateBranch) -> e.UpdateResult:
    """Bring the branch up to date, once."""
    change = changes.get(place, effect.change)
    state = changes.state(change)
    if state != "open":
        code = "ChangeMerged" if state == "merged" else "ChangeClosed"
        raise Permanent(code, f"change {effect.change} is {state}")
    source, target = (ref.removeprefix(HEADS) for ref in (change.source_ref_name, change.target_ref_name))
    head, base = place.head(source), place.head(target)
    if head is None or base is None:
        gone = source if head is None else target
        raise Permanent("BranchDeleted", f"the branch {gone} of change {effect.change} was deleted")
    if head != effect.expected_head:
        return _done_before(place, effect_id, effect, head)
    if place.parted(base, head) == base:
        return e.UpdateResult(head=head, base=base, updated=False)
    merged = _merge(place, effect_id, effect, change, base)
    _move(place, source, head, merged)
    return e.UpdateResult(head=merged, base=base, updated=True)


def _done_before(place: Place, effect_id: str, effect: e.UpdateBranch, head: str) -> e.UpdateResult:
    """The same answer, when the head is the merge that this effect made."""
    found = place.commit(head)
    if found is not None and _is_mine(place, found, effect_id, effect.expected_head):
        return e.UpdateResult(head=head, base=found.parents[1], updated=True)
    raise Permanent(
        "HeadMoved", f"the head of change {effect.change} is {head[:12]}, not {effect.expected_head[:12]}"
    )


def _is_mine(place: Place, commit: Commit, effect_id: str, expected: str) -> bool:
    marked = trailers(commit.message).get("effect-id") == effect_id
    return marked and len(commit.parents) > 1 and commit.parents[0] == expected and is_ours(place, commit)


def _merge(place: Place, effect_id: str, effect: e.UpdateBranch, change: Any, base: str) -> str:
    """The merge commit, which no branch has yet."""
    target = change.target_ref_name.removeprefix(HEADS)
    source = change.source_ref_name.removeprefix(HEADS)
    message = message_with(
        f"chore: merge {target} into {source}", {**effect.trailers, "Effect-Id": effect_id}
    )
    wanted = place.model("GitMergeParameters", comment=message, parents=[effect.expected_head, base])
    where = {"project": place.repository.project, "repository_name_or_id": place.repository.name}
    made = place.client.git.create_merge_request(merge_parameters=wanted, **where)
    for pause in WAITS_S:
        if str(made.status) in ENDED:
            break
        time.sleep(pause)
        made = place.client.git.get_merge_request(merge_operation_id=made.merge_operation_id, **where)
    detail = made.detailed_status
    if str(made.status) == "completed" and detail and detail.merge_commit_id:
        return str(detail.merge_commit_id)
    said = (detail.failure_message if detail else None) or "no reason given"
    if "conflict" in said.casefold():
        raise conflict(place, change)
    raise Retryable(f"Azure DevOps could not merge {target} into {source}: {said}")


def _move(place: Place, branch: str, old: str, new: str) -> None:
    update = place.model("GitRefUpdate", name=HEADS + branch, old_object_id=old, new_object_id=new)
    try:
        for result in place.git("update_refs", ref_updates=[update]):
            refused(result)
    except Refusal as refusal:
        if refusal.is_about(*FORBIDDEN):
            raise Permanent(
                "NoWriteAccess",
                f"{BOT} has no write permission in {place.repository}: give its account Contribute there",
            ) from refusal
        if refusal.is_about(*STALE):
            raise Permanent("HeadMoved", f"{branch} moved while it was being brought up to date") from refusal
        raise
