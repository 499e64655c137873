"""`MergeChange` and `UpdateBranch`: what GitHub merges, and why it would not."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.blocked import why_not
from bot.forges.github.changes import get_pull
from bot.forges.github.commit_files import EFFECT, changed_between, done_before
from bot.forges.github.errors import Answered, not_found
from bot.forges.github.ground import CONTENTS, MISSING, Ground, head_of, tree_of
from bot.forges.trailers import message_with

Json = dict[str, Any]
CONFLICT = 409
WORKFLOWS: Needs = {"workflows": "write"}
"""Without it GitHub lets an App merge nothing that changes a workflow file."""


def merge_change(
    ground: Ground, effect_id: str, effect: e.MergeChange, _context: EffectContext
) -> e.MergeResult:
    """Merge exactly the expected head. GitHub itself refuses another one, so nothing is looked at before."""
    marked = message_with(effect.message, {**effect.trailers, EFFECT: effect_id})
    title, _, body = marked.partition("\n")
    said = {
        "sha": effect.expected_head,
        "merge_method": effect.method,
        "commit_title": title,
        "commit_message": body.strip(),
    }
    if effect.method == "rebase":  # its commits keep their messages
        said = {name: said[name] for name in ("sha", "merge_method")}
    if effect.up_to_date:
        _not_behind(ground, effect)
    path = f"/pulls/{effect.change}/merge"
    try:
        merged = ground.client.send(
            "PUT", effect.repository, path, said, needs=CONTENTS, wishes=WORKFLOWS
        ).json
    except Answered as error:
        merged = {"sha": _merged_before(ground, effect, error)}
    return e.MergeResult(
        sha=merged["sha"],
        tree=_tree(ground, effect.repository, merged["sha"]),
        head_tree=_tree(ground, effect.repository, effect.expected_head),
    )


def _not_behind(ground: Ground, effect: e.MergeChange) -> None:
    """GitHub takes no expected head of the target, so this is as near to the merge as can be."""
    key = (effect.repository, str(effect.change))
    target = ground.targets.get(*key)
    if target is None:
        target = ground.targets.put(get_pull(ground, effect.repository, effect.change)["base"]["ref"], *key)
    between = f"{quote(target, safe='')}...{effect.expected_head}"
    try:
        said = ground.client.get(effect.repository, f"/compare/{between}", params={"per_page": 1})
    except Answered as error:
        if error.status == MISSING:  # the merge will say what is wrong
            return
        raise
    # A change that this very effect has merged is behind, too.
    if said["behind_by"] and not get_pull(ground, effect.repository, effect.change)["merged"]:
        raise Permanent("BranchBehind", f"change {effect.change} is behind {target}")


def _tree(ground: Ground, repository: str, sha: str) -> str:
    found = tree_of(ground, repository, sha)
    if found is None:
        raise Retryable(f"GitHub does not know {sha[:12]} yet")
    return found


def _merged_before(ground: Ground, effect: e.MergeChange, error: Answered) -> str:
    """The merge, if it was made already. Raises what else GitHub's refusal means."""
    pull = get_pull(ground, effect.repository, effect.change)
    head = pull["head"]["sha"]
    if pull["merged"]:
        if head == effect.expected_head:
            return str(pull["merge_commit_sha"])
        raise Permanent(
            "HeadMoved", f"change {effect.change} was merged at {head[:12]}, not {effect.expected_head[:12]}"
        )
    _still_open(ground, effect.repository, pull)
    if head != effect.expected_head:
        raise _moved(effect.change, head, effect.expected_head)
    raise _refused(ground, effect, pull, error)


def _refused(ground: Ground, effect: e.MergeChange, pull: Json, error: Answered) -> Exception:
    """Why GitHub does not merge the head that was meant."""
    number, repository = effect.change, effect.repository
    if error.status == MISSING:
        return Permanent("NoWriteAccess", f"{ground.login} may not merge into {repository}")
    if error.says("not allowed"):
        return Permanent("MethodNotAllowed", f"{repository} does not allow this: {error.message}")
    if pull.get("mergeable") is False:
        return _conflict(ground, repository, pull)
    if error.says("out of date"):  # a protection that wants the newest target in it
        return Permanent("BranchBehind", f"{pull['head']['ref']} is behind {pull['base']['ref']}")
    if pull.get("mergeable") is None or error.status == CONFLICT:
        return Retryable(f"GitHub has not found out yet whether change {number} can be merged")
    return why_not(ground, repository, pull, error)


def _moved(number: int, head: str, expected: str) -> Permanent:
    return Permanent("HeadMoved", f"the head of change {number} is {head[:12]}, not {expected[:12]}")


def _still_open(ground: Ground, repository: str, pull: Json) -> None:
    """GitHub closes a change whose branch is deleted."""
    if pull["state"] == "open":
        return
    number, branch = pull["number"], pull["head"]["ref"]
    if pull["head"].get("repo") is None or head_of(ground, repository, branch) is None:
        raise Permanent("BranchDeleted", f"the branch {branch} of change {number} was deleted")
    raise Permanent("ChangeClosed", f"change {number} is closed")


def _conflict(ground: Ground, repository: str, pull: Json) -> Permanent:
    """GitHub says that there is a conflict, not where: it is in a file that both sides changed."""
    number, target = pull["number"], pull["base"]["ref"]
    onto, head = head_of(ground, repository, target), pull["head"]["sha"]
    said = ground.client.get(repository, f"/compare/{quote(str(onto), safe='')}...{head}")
    start = said["merge_base_commit"]["sha"]
    both = set(changed_between(ground, repository, start, str(onto)))
    both &= set(changed_between(ground, repository, start, head))
    return Permanent(
        "MergeConflict", f"change {number} conflicts with {target} in {', '.join(sorted(both)[:10])}"
    )


def update_branch(
    ground: Ground, effect_id: str, effect: e.UpdateBranch, _context: EffectContext
) -> e.UpdateResult:
    """Merge the target into the change's branch, with our mark on the merge.

    Not by `update-branch`, which answers before it has done anything and takes no message.
    """
    repository = effect.repository
    pull = get_pull(ground, repository, effect.change)
    source, head = pull["head"]["ref"], pull["head"]["sha"]
    if pull["merged"]:
        raise Permanent("ChangeMerged", f"change {effect.change} is merged")
    if (pull["head"].get("repo") or {}).get("id") != pull["base"]["repo"]["id"]:
        raise Permanent("NoWriteAccess", f"the branch of change {effect.change} is in a fork")
    if pull["state"] == "open" and head != effect.expected_head:
        return _updated_before(ground, effect_id, effect, head)
    _still_open(ground, repository, pull)
    message = message_with(
        f"Merge branch '{pull['base']['ref']}' into {source}", {**effect.trailers, EFFECT: effect_id}
    )
    said = {"base": source, "head": pull["base"]["ref"], "commit_message": message}
    return _bring_in(ground, effect, pull, said)


def _updated_before(ground: Ground, effect_id: str, effect: e.UpdateBranch, head: str) -> e.UpdateResult:
    if done := done_before(ground, effect.repository, head, effect_id):
        return e.UpdateResult(head=done["sha"], base=done["parents"][1]["sha"], updated=True)
    raise _moved(effect.change, head, effect.expected_head)


def _bring_in(ground: Ground, effect: e.UpdateBranch, pull: Json, said: Json) -> e.UpdateResult:
    try:
        made = ground.client.send(
            "POST", effect.repository, "/merges", said, needs=CONTENTS, wishes=WORKFLOWS
        ).json
    except Answered as error:
        if error.status == CONFLICT:
            raise _conflict(ground, effect.repository, pull) from error
        if error.status == MISSING:
            raise Permanent("BranchDeleted", f"a branch of change {effect.change} was deleted") from error
        raise
    if made is None:  # there was nothing to bring in
        base = head_of(ground, effect.repository, pull["base"]["ref"])
        if base is None:
            raise not_found(f"branch {pull['base']['ref']} in {effect.repository}")
        return e.UpdateResult(head=effect.expected_head, base=base, updated=False)
    onto, base = (parent["sha"] for parent in made["parents"])
    if onto != effect.expected_head:  # somebody pushed in this very moment; the merge is on top of theirs
        raise _moved(effect.change, made["sha"], effect.expected_head)
    return e.UpdateResult(head=made["sha"], base=base, updated=True)
