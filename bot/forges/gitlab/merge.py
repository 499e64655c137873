"""`MergeChange`: with the expected head, in the way that the project merges.

https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request

How GitLab merges is the project's setting; a request only says whether to squash. In a project with merge
commits a squash is one commit and its merge; with fast-forward merges `squash` and `rebase` put their
commits on the target itself, after a rebase when the target went on.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.gitlab.access import get_project
from bot.forges.gitlab.changes import change_path, get_change
from bot.forges.gitlab.client import CONFLICT, Answered, Api, Json
from bot.forges.gitlab.files import tree_of
from bot.forges.gitlab.rebase import base_of, conflict, heads, is_rebased, moved, rebase
from bot.forges.port import same_target
from bot.forges.trailers import message_with

WAYS = {"merge": ("merge", "rebase_merge"), "squash": ("merge", "rebase_merge", "ff"), "rebase": ("ff",)}
"""Our method -> the project's merge methods that can do it."""
LOOKING = {
    "unchecked",
    "checking",
    "preparing",
    "approvals_syncing",
    "ci_still_running",
    "status_checks_must_pass",
}
REFUSALS = {
    "draft_status": ("ChangeIsDraft", "is a draft"),
    "not_open": ("ChangeClosed", "is closed"),
    "not_approved": ("ApprovalsMissing", "lacks approvals that the project asks for"),
    "requested_changes": ("ChangesRequested", "has a reviewer who asks for changes"),
    "discussions_not_resolved": ("ThreadsOpen", "has threads that are not resolved"),
    "merge_request_blocked": ("ChangeBlocked", "waits for another change"),
    "commits_status": ("BranchDeleted", "has no branch, or no commits"),
}
"""https://docs.gitlab.com/api/merge_requests/#merge-status"""


@dataclass(frozen=True)
class Work:
    """One wish to merge, and the change as it is."""

    api: Api
    effect: e.MergeChange
    change: Json

    def say(self, words: str) -> str:
        return f"change {self.effect.change} {words}"


def merge_change(api: Api, effect_id: str, effect: e.MergeChange, _context: EffectContext) -> e.MergeResult:
    """The change itself tells whether it is merged."""
    work = Work(api, effect, get_change(api, effect.repository, effect.change))
    if work.change["state"] == "merged":
        return _result(work, _same(work))
    head = _allowed(work)
    same_target(effect, work.change["target_branch"])
    known = get_project(api, effect.repository)
    if work.change.get("has_conflicts"):
        raise conflict(api, effect.repository, work.change)
    _method(work, known)
    if effect.up_to_date:
        _not_behind(work, head)
    if work.change.get("detailed_merge_status") == "need_rebase":
        head = rebase(api, effect.repository, work.change, effect.expected_head)
    return _result(
        work, _merge(work, head, message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id}))
    )


def _same(work: Work) -> Json:
    head, expected = str(work.change["sha"]), work.effect.expected_head
    repository, number = work.effect.repository, work.effect.change
    if head != expected and not is_rebased(work.api, repository, number, older=expected, newer=head):
        raise Permanent("HeadMoved", work.say(f"was merged at {head[:12]}, not {expected[:12]}"))
    return work.change


def _allowed(work: Work) -> str:
    """The head to merge: the expected one, or what a rebase of ours has made of it."""
    effect = work.effect
    if work.change["state"] == "closed":
        raise Permanent("ChangeClosed", work.say("is closed"))
    head, _ = heads(work.api, effect.repository, work.change)
    rebased = head != effect.expected_head and is_rebased(
        work.api, effect.repository, effect.change, older=effect.expected_head, newer=head
    )
    if head != effect.expected_head and not rebased:
        raise moved(effect.change, head, effect.expected_head)
    return head


def _not_behind(work: Work, head: str) -> None:
    """GitLab takes no expected head of the target, so this is as near to the merge as can be."""
    repository, source, target = (
        work.effect.repository,
        work.change["source_branch"],
        work.change["target_branch"],
    )
    _, onto = heads(work.api, repository, work.change)
    if base_of(work.api, repository, onto, head) != onto:
        raise Permanent("BranchBehind", f"{source} is behind {target}")


def _method(work: Work, known: Json) -> None:
    method, way = work.effect.method, known["merge_method"]
    always, never = (known.get("squash_option") == option for option in ("always", "never"))
    if way in WAYS[method] and not (never if method == "squash" else always):
        return
    name = known["path_with_namespace"]
    mend = f"set `merge: {{method: ...}}` in the policy, or Settings > Merge requests in {name}"
    said = (
        f"{name} does not merge by {method} (merge method {way}, squash {known.get('squash_option')}): {mend}"
    )
    raise Permanent("MergeMethod", said)


def _merge(work: Work, head: str, message: str) -> Json:
    squash = work.effect.method == "squash"
    body = {
        "sha": head,
        "squash": squash,
        "merge_commit_message": message,
        "should_remove_source_branch": False,
    }
    body |= {"squash_commit_message": message} if squash else {}
    where = change_path(work.effect.repository, work.effect.change)
    try:
        merged: Json = work.api.put(f"{where}/merge", **body)
    except Answered as answer:
        raise _why(work, answer, head) from answer
    except Permanent as refused:
        # The same token has just read the change: it is the branch that it may not merge into.
        if refused.reason_code in {"BadToken", "Forbidden"}:
            target = work.change["target_branch"]
            said = f"{work.api.account.login} may not merge into {target}"
            raise Permanent("NoMergeAccess", f"{said}: allow its role under Protected branches") from refused
        raise
    if merged["state"] != "merged":
        raise Retryable(work.say("is being merged"))
    return merged


def _why(work: Work, answer: Answered, asked: str) -> Exception:
    """What keeps the change from being merged. GitLab's own answer is only a number."""
    effect = work.effect
    now = get_change(work.api, effect.repository, effect.change)
    status = str(now.get("detailed_merge_status") or "")
    if now["state"] == "merged":
        return Retryable(work.say("is merged by now"))
    head, _ = heads(work.api, effect.repository, now)
    if answer.status == CONFLICT or head != asked:  # the head is not `sha`
        return moved(effect.change, head, effect.expected_head)
    if now.get("has_conflicts"):
        return conflict(work.api, effect.repository, now)
    if status == "ci_must_pass":
        return _pipeline(now)
    if status in LOOKING or status in {"mergeable", "need_rebase"}:
        return Retryable(work.say(f"cannot be merged yet ({status})"))
    code, words = REFUSALS.get(status, ("MergeRefused", f"cannot be merged ({status or answer.said})"))
    return Permanent(code, work.say(words))


def _pipeline(now: Json) -> Exception:
    """`Pipelines must succeed` counts jobs and statuses, ours among them."""
    target, run = now["target_branch"], now.get("head_pipeline") or {}
    if run.get("status") in {"failed", "canceled", "skipped"}:
        said = f"{target} is protected: the pipeline of {str(now['sha'])[:12]} did not succeed"
        return Permanent("RequiredCheckFailed", said)
    return Retryable(f"{target} is protected: the pipeline of {str(now['sha'])[:12]} has not succeeded yet")


def _result(work: Work, merged: Json) -> e.MergeResult:
    """After a fast-forward the squashed commit is on the target, or the head itself."""
    sha = merged.get("merge_commit_sha") or merged.get("squash_commit_sha") or merged["sha"]
    trees = [tree_of(work.api, work.effect.repository, one) for one in (sha, work.effect.expected_head)]
    return e.MergeResult(sha=sha, tree=trees[0], head_tree=trees[1])
