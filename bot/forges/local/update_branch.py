"""`UpdateBranch`: the target's newest commits merged into a change's branch, marked by the effect's id."""

from __future__ import annotations

from pathlib import Path

from bot.domain import effect as e
from bot.domain.errors import Retryable
from bot.domain.performer import EffectContext
from bot.forges.local import commit, history, signing
from bot.forges.local.changes import Impossible
from bot.forges.local.commit_files import done_before, may_commit
from bot.forges.local.git import line
from bot.forges.local.ground import Ground
from bot.forges.local.merge import Work, author
from bot.forges.local.tables import ForgeChange
from bot.forges.local.telling import get_change, writing


def update_branch(
    ground: Ground, effect_id: str, effect: e.UpdateBranch, _context: EffectContext
) -> e.UpdateResult:
    """One merge commit on the change's branch, or none when there is nothing to bring in."""
    bot = ground.settings.bot_login
    with writing(ground, effect.repository, bot) as folder:
        with ground.read() as session:
            change = get_change(session, effect.repository, effect.change)
        head, base = _heads(folder, change)
        if done := done_before(ground, folder, head, effect_id):
            return e.UpdateResult(head=done, base=line(folder, "rev-parse", f"{done}^2"), updated=True)
        _allowed(change, head, effect.expected_head)
        if history.is_ancestor(folder, base, head):
            return e.UpdateResult(head=head, base=base, updated=False)
        may_commit(ground, effect.repository, change.source, bot)
        work = Work(folder, author(ground, bot), signing.options(ground.settings.home))
        message = f"Merge branch '{change.target}' into {change.source}"
        marked = commit.message_with(message, {**effect.trailers, "Effect-Id": effect_id})
        sha = work.commit(work.merged_tree(head, base, change), [head, base], marked)
        if not commit.move(folder, f"refs/heads/{change.source}", sha, head):
            raise Retryable(f"{change.source} moved while it was being brought up to date")
        return e.UpdateResult(head=sha, base=base, updated=True)


def _heads(folder: Path, change: ForgeChange) -> tuple[str, str]:
    """The heads of both branches. Raises Impossible."""
    if change.state == "merged":
        raise Impossible("ChangeMerged", f"change {change.number} is merged")
    head, base = history.branch_head(folder, change.source), history.branch_head(folder, change.target)
    if head is None or base is None:
        missing = change.source if head is None else change.target
        raise Impossible("BranchDeleted", f"the branch {missing} of change {change.number} was deleted")
    return head, base


def _allowed(change: ForgeChange, head: str, expected: str) -> None:
    if change.state == "closed":
        raise Impossible("ChangeClosed", f"change {change.number} is closed")
    if head != expected:
        raise Impossible(
            "HeadMoved", f"the head of change {change.number} is {head[:12]}, not {expected[:12]}"
        )
