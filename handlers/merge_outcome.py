"""What became of bringing a branch up to date and of merging it: told where people look, in one sentence."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import PostComment, UpdateResult
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.code_committer import end_approvals
from handlers.declare import done, on
from handlers.evaluation import evaluate
from handlers.merging import AGENT
from handlers.policy import policy_of
from handlers.reevaluation import reevaluate, show

NOBODY = frozenset({"HeadMoved", "ChangeClosed", "ChangeMerged"})
"""Failures that need no person: the change went on without the bot, and its own facts say so."""


@done("UpdateBranch", "update")
def brought_up_to_date(action: p.ActionCompleted, view: View) -> Decision:
    """End the approvals of what was there before, and ask for them again; or go on when nothing came in."""
    result = UpdateResult.model_validate(action.result)
    state = view.state
    change = state.change or {}
    ended = stale(state, messages.target_merged(change["target"])) if result.updated else NOTHING
    # What follows from an approval's end is decided when that is in the log.
    decision = ended if ended.events else reevaluate(view)
    whose = [(said.data["approver"], said.data["environment"]) for said in ended.events]
    reviewers = _reviewers(action.request["expectedHead"], state) if result.updated else []
    if not whose and not reviewers:
        return decision
    asked = messages.approve_again(change["target"], result.head, whose, reviewers)
    return decision + do(_comment(view, asked))


def _reviewers(head: str, state: TraceState) -> list[str]:
    """Whose review of this head had counted."""
    policy = policy_of(state)
    counted = policy is not None and policy.accepts_reviews
    return [r.approver for r in state.reviews if counted and not r.ended and r.revision == head]


@on("AgentSkillFailed")
def could_not(event: Event, view: View) -> Decision:
    """Say what a person must do, if a person must do anything."""
    failure = read(event, p.SkillFailed)
    if not failure.exhausted or failure.effect not in {"UpdateBranch", "MergeChange"}:
        return NOTHING
    state = view.state
    if failure.effect == "MergeChange":
        return _not_merged(failure, view)
    update = state.branch_update
    if update is None or update.status != "failed" or update.head != failure.request.get("expectedHead"):
        return NOTHING  # an older wish, that a newer head has made pointless
    ended = stale(state, messages.new_revision(state.head or ""))
    if failure.reason_code in NOBODY:
        return ended
    sentence = _sentence(failure, state)
    return ended + _asked(sentence, failure, view) + reevaluate(view)


def _not_merged(failure: p.SkillFailed, view: View) -> Decision:
    blocked = view.state.merge_blocked
    if blocked is None or blocked.head != failure.request.get("expectedHead"):
        return reevaluate(view)  # it was behind once more: first that
    if failure.reason_code in NOBODY:
        return NOTHING
    return _asked(_sentence(failure, view.state), failure, view)


def _sentence(failure: p.SkillFailed, state: TraceState) -> str:
    change = state.change or {}
    if failure.reason_code == "MergeConflict":
        return messages.branch_conflict(change["source"], change["target"], failure.message)
    if failure.effect == "UpdateBranch":
        return messages.not_updated(change["source"], change["target"], failure.message)
    return messages.not_merged(failure.reason_code, failure.message)


def _asked(sentence: str, failure: p.SkillFailed, view: View) -> Decision:
    """Once per sentence, until somebody has said something: the same conflict with the target's next commit
    is no news, while whoever said `/retry` waits for an answer.
    """
    state = view.state
    same = bool(state.escalations) and state.escalations[-1]["message"] == sentence
    if same and state.flow.when("CommandIssued") < state.flow.when("ManualInterventionRequired"):
        return NOTHING
    told = p.Intervention(reason_code=failure.reason_code, message=sentence, role="Author")
    comment = do(_comment(view, messages.notice(sentence)))
    return record(draft("ManualInterventionRequired", told)) + comment + show(evaluate(view), view)


def _comment(view: View, body: str) -> PostComment:
    return PostComment(
        target=view.state.forge,
        repository=view.state.repository,
        purpose="merge",
        agent_id=AGENT,
        change=(view.state.change or {})["number"],
        body=body,
    )


def stale(state: TraceState, reason: str) -> Decision:
    """End the approvals that were for something else than the change's head."""
    head = (state.change or {}).get("head", "")
    kept = {head, state.carried.get(head)}
    return end_approvals(state, head, reason, kept=kept, agent=AGENT)


@on("ChangeUpdated")
def on_new_revision(_event: Event, view: View) -> Decision:
    """A new revision ends the approvals of the old one, and says so."""
    state = view.state
    update = state.branch_update
    if update and update.status == "asked" and update.head != (state.change or {}).get("head"):
        return NOTHING  # perhaps our own doing: what the forge answers says which reason is true
    return stale(state, messages.new_revision((state.change or {}).get("head", "")))


@on("StatusReported")
def on_status(event: Event, view: View) -> Decision:
    """What another tool says of the head may be what the merge had waited for."""
    change = view.state.change
    if change is None or event.data["revision"] != change["head"] or event.data["state"] != "success":
        return NOTHING
    return reevaluate(view)
