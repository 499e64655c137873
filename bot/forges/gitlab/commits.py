"""One commit through the commits API, whatever asked for it, and what is told of it.

https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions
"""

from __future__ import annotations

from datetime import datetime

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.forges.gitlab.client import Answered, Api, Json, project, segment
from bot.forges.gitlab.files import tree_of
from bot.forges.gitlab.plan import Plan
from bot.forges.trailers import message_with

Committing = e.CommitFiles | e.RevertCommit
OVERTAKEN = ("already exists", "doesn't exist", "does not exist", "has changed since")


def may_push(branch: Json | None, effect: Committing) -> None:
    """Raise Permanent('ProtectedBranch') when only changes may touch the branch."""
    if branch and not branch.get("can_push", True):
        raise _protected(effect)


def _protected(effect: Committing) -> Permanent:
    said = f"{effect.branch} of {effect.repository} is protected: a change is needed"
    return Permanent("ProtectedBranch", said)


def commit(api: Api, effect_id: str, effect: Committing, plan: Plan, *, start: str | None) -> Json:
    """Make it, on a branch that is there or, from `start`, on a new one. Raises Retryable when overtaken."""
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


def committed(api: Api, effect: Committing, known: Json) -> e.CommitResult:
    """The answer to an effect whose first answer was lost."""
    diffs = api.list(f"{project(effect.repository)}/repository/commits/{known['id']}/diff")
    touched = {diff[side] for diff in diffs for side in ("old_path", "new_path")}
    return result(api, effect, known, tuple(sorted(touched)))


def result(api: Api, effect: Committing, known: Json, touched: tuple[str, ...]) -> e.CommitResult:
    """What is told of a commit as GitLab knows it."""
    sha = str(known["id"])
    signature = api.find(f"{project(effect.repository)}/repository/commits/{segment(sha)}/signature")
    return e.CommitResult(
        sha=sha,
        tree=tree_of(api, effect.repository, sha),
        branch=effect.branch,
        parent=known["parent_ids"][0] if known["parent_ids"] else None,
        signed=signature is not None,
        files=touched,
        committed_at=rfc3339(datetime.fromisoformat(known["committed_date"])),
    )
