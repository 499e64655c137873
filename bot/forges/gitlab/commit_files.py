"""`CommitFiles`: one commit through the commits API, marked by its effect's id, on a head that may have
moved.

https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions

GitLab takes no expected head. So the head is read first; every file that is overwritten or deleted names the
commit that last touched it, a new one must not be there yet, and a new branch must not exist: whoever is
quicker in between makes GitLab refuse, and the effect begins again.
"""

from __future__ import annotations

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.forges import paths
from bot.forges.gitlab import files as repository_files
from bot.forges.gitlab.access import get_branch, get_project, head_of, require_write
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, project
from bot.forges.gitlab.commits import commit, committed, may_push, result
from bot.forges.gitlab.marks import done_before
from bot.forges.gitlab.plan import planned
from bot.forges.wanted import wanted as wanted_files


def commit_files(api: Api, effect_id: str, effect: e.CommitFiles, context: EffectContext) -> e.CommitResult:
    """One commit, on top of a head that may have moved as long as nobody touched the same files."""
    wanted, _ = wanted_files(effect, context)
    branch_name = paths.checked_branch(effect.branch)
    known = get_project(api, effect.repository)
    require_write(known, api)
    branch = get_branch(api, effect.repository, branch_name)
    head = head_of(branch)
    if head and (done := done_before(api, effect.repository, branch_name, effect_id)):
        return committed(api, effect, done)
    if head and effect.fresh:
        raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
    may_push(branch, effect)
    parent = head or _start(api, effect, empty=bool(known.get("empty_repo")))
    if head and effect.expected_head and head != effect.expected_head:
        _untouched_since(api, effect, set(wanted), head)
    clean = effect.prefix.strip("/") if effect.clean else None
    plan = planned(api, effect.repository, parent, wanted, clean=clean)
    if parent and not plan.actions:
        if head is None:
            api.post(f"{project(effect.repository)}/repository/branches", branch=branch_name, ref=parent)
        there = api.get(f"{project(effect.repository)}/repository/commits/{parent}", stats="false")
        return result(api, effect, there, ())
    made = commit(api, effect_id, effect, plan, start=None if head else parent)
    return result(api, effect, made, plan.paths)


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
