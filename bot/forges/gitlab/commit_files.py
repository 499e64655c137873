"""`CommitFiles`: one commit through the commits API, marked by its effect's id, on a head that may have
moved.

https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions

GitLab takes no expected head. So the head is read first; every file that is overwritten or deleted names the
commit that last touched it, a new one must not be there yet, and a new branch must not exist: whoever is
quicker in between makes GitLab refuse, and the effect begins again.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.domain.performer import EffectContext
from bot.forges import paths
from bot.forges.gitlab import files as repository_files
from bot.forges.gitlab.access import get_branch, get_project, head_of, require_write
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, Json, project, segment
from bot.forges.gitlab.marks import done_before
from bot.forges.gitlab.plan import Plan, planned
from bot.forges.trailers import message_with
from bot.forges.wanted import wanted as wanted_files

OVERTAKEN = ("already exists", "doesn't exist", "does not exist", "has changed since")


def commit_files(api: Api, effect_id: str, effect: e.CommitFiles, context: EffectContext) -> e.CommitResult:
    """One commit, on top of a head that may have moved as long as nobody touched the same files."""
    wanted, _ = wanted_files(effect, context)
    branch_name = paths.checked_branch(effect.branch)
    known = get_project(api, effect.repository)
    require_write(known, api)
    branch = get_branch(api, effect.repository, branch_name)
    head = head_of(branch)
    if head and (done := done_before(api, effect.repository, branch_name, effect_id)):
        return _committed(api, effect, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    _may_push(branch, effect)
    parent = head or _start(api, effect, empty=bool(known.get("empty_repo")))
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(api, effect, set(wanted), head)
    clean = effect.prefix.strip("/") if effect.clean else None
    plan = planned(api, effect.repository, parent, wanted, clean=clean)
    if parent and not plan.actions:
        if head is None:
            api.post(f"{project(effect.repository)}/repository/branches", branch=branch_name, ref=parent)
        commit = api.get(f"{project(effect.repository)}/repository/commits/{parent}", stats="false")
        return _result(api, effect, commit, ())
    made = _commit(api, effect_id, effect, None if head else parent, plan)
    return _result(api, effect, made, plan.paths)


def _may_push(branch: Json | None, effect: e.CommitFiles) -> None:
    if branch and not branch.get("can_push", True):
        raise _protected(effect)


def _protected(effect: e.CommitFiles) -> Permanent:
    said = f"{effect.branch} of {effect.repository} is protected: a change is needed"
    return Permanent("ProtectedBranch", said)


def _start(api: Api, effect: e.CommitFiles, *, empty: bool) -> str | None:
    """Where a branch begins that is not there. A branch that should be there was deleted."""
    base = head_of(get_branch(api, effect.repository, effect.base))
    if effect.expected_head and effect.expected_head != base:
        raise Permanent("BranchDeleted", f"the branch {effect.branch} was deleted")
    if base is None and not empty:
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def _untouched_since(api: Api, effect: e.CommitFiles, wanted: set[str], head: str) -> None:
    """Raise Permanent('HeadMoved') when somebody changed what this commit is about to write."""
    expected = str(effect.expected_head)
    try:
        changed = repository_files.paths_between(api, effect.repository, expected, head)
    except Answered as answer:
        if answer.status != NOT_FOUND:
            raise
        raise Permanent("HeadMoved", f"{effect.branch} has no revision {expected[:12]}") from None
    moved = f"{effect.branch} moved from {expected[:12]} to {head[:12]}"
    if changed is None:
        raise Permanent("HeadMoved", f"{moved}, which changes more files than GitLab tells")
    below = f"{effect.prefix.strip('/')}/" if effect.prefix.strip("/") else ""
    both = sorted(path for path in changed if path in wanted or (effect.clean and path.startswith(below)))
    if both:
        raise Permanent("HeadMoved", f"{moved}, which changes {', '.join(both[:5])} as well")


def _commit(api: Api, effect_id: str, effect: e.CommitFiles, start: str | None, plan: Plan) -> Json:
    body: Json = {
        "branch": effect.branch,
        "commit_message": message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id}),
        "actions": plan.actions,
        "stats": False,
    }
    try:
        made: Json = api.post(
            f"{project(effect.repository)}/repository/commits",
            **body | ({"start_sha": start} if start else {}),
        )
    except Answered as answer:
        if any(words in answer.said for words in OVERTAKEN):
            raise Retryable(f"{effect.branch} moved while it was being committed to") from answer
        code = "InvalidPath" if "path" in answer.said.lower() else "CommitRefused"
        raise Permanent(code, f"GitLab does not take the commit: {answer.said}") from answer
    except Permanent as refused:
        # The project lets the bot in, so it is this branch: a rule for names such as `release/*`.
        raise _protected(effect) if refused.reason_code == "Forbidden" else refused from refused
    return made


def _committed(api: Api, effect: e.CommitFiles, commit: Json) -> e.CommitResult:
    """The answer to an effect whose first answer was lost."""
    diffs = api.list(f"{project(effect.repository)}/repository/commits/{commit['id']}/diff")
    touched = {diff[side] for diff in diffs for side in ("old_path", "new_path")}
    return _result(api, effect, commit, tuple(sorted(touched)))


def _result(api: Api, effect: e.CommitFiles, commit: Json, touched: tuple[str, ...]) -> e.CommitResult:
    sha = str(commit["id"])
    signature = api.find(f"{project(effect.repository)}/repository/commits/{segment(sha)}/signature")
    return e.CommitResult(
        sha=sha,
        tree=repository_files.tree_of(api, effect.repository, sha),
        branch=effect.branch,
        parent=commit["parent_ids"][0] if commit["parent_ids"] else None,
        signed=signature is not None,
        files=touched,
        committed_at=rfc3339(datetime.fromisoformat(commit["committed_date"])),
    )
