"""Bringing a change up to date with its target: on GitLab that is a rebase, which makes its commits anew.

https://docs.gitlab.com/api/merge_requests/#rebase-a-merge-request

The new commits carry no mark of ours. They are known by what GitLab keeps of every head a change had: the
`patch_id_sha` of its difference to the target, which a rebase leaves as it was, and the bot as their
committer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_branch, get_project, head_of, require_write
from bot.forges.gitlab.changes import change_path, get_change
from bot.forges.gitlab.client import CONFLICT, Answered, Api, Json, project
from bot.forges.gitlab.files import paths_between

LOOKS, PAUSE_S = 40, 0.25
"""How often, and how many seconds apart, it is looked whether GitLab has finished."""


def update_branch(
    api: Api, _effect_id: str, effect: e.UpdateBranch, _context: EffectContext
) -> e.UpdateResult:
    """The change's commits on top of its target, or nothing when they are there already."""
    change = get_change(api, effect.repository, effect.change)
    if change["state"] == "merged":
        raise Permanent("ChangeMerged", f"change {effect.change} is merged")
    head, base = heads(api, effect.repository, change)
    if change["state"] == "closed":
        raise Permanent("ChangeClosed", f"change {effect.change} is closed")
    if head != effect.expected_head:
        if not is_rebased(api, effect.repository, effect.change, older=effect.expected_head, newer=head):
            raise moved(effect.change, head, effect.expected_head)
        return e.UpdateResult(head=head, base=base_of(api, effect.repository, base, head), updated=True)
    if base_of(api, effect.repository, base, head) == base:
        return e.UpdateResult(head=head, base=base, updated=False)
    require_write(get_project(api, effect.repository), api)
    head = rebase(api, effect.repository, change, effect.expected_head)
    return e.UpdateResult(head=head, base=base_of(api, effect.repository, base, head), updated=True)


def heads(api: Api, repository: str, change: Json) -> tuple[str, str]:
    """The heads of a change's branch and of its target. Raises Permanent('BranchDeleted')."""
    source, target = change["source_branch"], change["target_branch"]
    # A fork's branch may be out of the bot's sight; what GitLab tells of it is in the change then.
    ours = change["source_project_id"] == change["target_project_id"]
    head = head_of(get_branch(api, repository, source)) if ours else change["sha"]
    base = head_of(get_branch(api, repository, target))
    if head is None or base is None:
        missing = source if head is None else target
        raise Permanent("BranchDeleted", f"the branch {missing} of change {change['iid']} was deleted")
    return head, base


def moved(number: int, head: str, expected: str) -> Permanent:
    """The head is not the one that was agreed on."""
    return Permanent("HeadMoved", f"the head of change {number} is {head[:12]}, not {expected[:12]}")


def base_of(api: Api, repository: str, target: str, head: str) -> str:
    """Where the two part."""
    return str(api.get(f"{project(repository)}/repository/merge_base", **{"refs[]": [target, head]})["id"])


def rebase(
    api: Api, repository: str, change: Json, expected: str, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Rebase and wait for it; the new head, which has what `expected` had and no more.

    GitLab rebases whatever the head is by then. Raises Permanent('MergeConflict', 'HeadMoved'), Retryable
    while it goes on.
    """
    before, _ = heads(api, repository, change)
    head = _rebased(api, repository, change, before, sleep)
    if not is_rebased(api, repository, change["iid"], older=expected, newer=head):
        raise moved(change["iid"], head, expected)
    return head


def _rebased(api: Api, repository: str, change: Json, before: str, sleep: Callable[[float], None]) -> str:
    where = change_path(repository, change["iid"])
    try:
        api.put(f"{where}/rebase")
    except Answered as answer:
        if answer.status == CONFLICT:  # another one is under way
            raise Retryable(f"GitLab cannot rebase change {change['iid']} now: {answer.said}") from answer
        raise
    for _look in range(LOOKS):
        now = api.get(where, include_rebase_in_progress="true")
        if not now.get("rebase_in_progress"):
            head, _ = heads(api, repository, change)
            if now.get("merge_error") and head == before:
                raise conflict(api, repository, change)
            if head != before:
                return head
        sleep(PAUSE_S)
    raise Retryable(f"GitLab is still rebasing change {change['iid']}")


def conflict(api: Api, repository: str, change: Json) -> Permanent:
    """Names the files that both sides changed: GitLab does not tell which of them conflict."""
    number, target = change["iid"], change["target_branch"]
    said = f"change {number} conflicts with {target}"
    try:
        head, onto = heads(api, repository, change)
        start = base_of(api, repository, onto, head)
        sides = [paths_between(api, repository, start, side) for side in (head, onto)]
    except Answered:
        sides = [None, None]
    both = sorted((sides[0] or set()) & (sides[1] or set()))
    return Permanent("MergeConflict", f"{said} in {', '.join(both[:10])}" if both else said)


def is_rebased(api: Api, repository: str, number: int, *, older: str, newer: str) -> bool:
    """Whether the bot has made `newer` of `older` by nothing but a rebase. Raises Retryable while GitLab has
    not looked at `newer`: it does so a moment after a push.
    """
    # The newest first.
    versions = list(api.list(f"{change_path(repository, number)}/versions"))
    known = [version["head_commit_sha"] for version in versions]
    if not versions or known[0] != newer:
        raise Retryable(f"GitLab has not looked at {newer[:12]} of change {number} yet")
    if older not in known:
        return False
    patches = {version.get("patch_id_sha") for version in versions[: known.index(older) + 1]}
    commit = api.get(f"{project(repository)}/repository/commits/{newer}", stats="false")
    mine = api.myself.get("commit_email") or api.myself.get("email")
    return len(patches) == 1 and None not in patches and commit["committer_email"] == mine
