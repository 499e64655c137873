"""The fold of a change's branch: what its target has that it may lack, and what was done about it."""

from __future__ import annotations

from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.result import UpdateResult
from bot.domain.trace_state import BranchUpdate, MergeBlocked, PolicyTrialState, TraceState

Update = dict[str, Any]
UNKNOWN: Update = {"base_contained": ""}


def base_moved(state: TraceState, data: dict[str, Any]) -> Update:
    """The target of the change has a new head."""
    about = state.change and state.change["target"] == data.get("branch")
    return {"base_moved_to": data["revision"]} if about and data["revision"] != state.base_contained else {}


def looked(state: TraceState, change: dict[str, Any], gathered: p.FactsGathered) -> Update:
    """The forge was asked: which head it spoke of, and whether the target went on without being told."""
    head = change.get("head", "")
    onto = change.get("target") == gathered.default_branch
    went_on = onto and gathered.default_head not in {None, state.base_contained}
    return {"facts_of": head} | (UNKNOWN if went_on or head != (state.change or {}).get("head") else {})


def changed(state: TraceState, change: dict[str, Any]) -> Update:
    """A new head may have lost what the old one contained; another target is another matter altogether."""
    before = state.change or {}
    if before.get("target", change["target"]) != change["target"]:
        return UNKNOWN | {"base_moved_to": ""}
    return {} if before.get("head") == change["head"] else UNKNOWN


def retried() -> Update:
    """A person wants it tried again, whatever came of it before."""
    return {"merge_requested": None, "merge_blocked": None, "behind_at": "", "branch_update": None}


def last_pusher(state: TraceState) -> str | None:
    """Who pushed the change's head last; the bot's own bringing up to date does not count."""
    change, update = state.change or {}, state.branch_update
    ours = update is not None and update.status == "updated" and update.new_head == change.get("head")
    return update.last_pusher if ours and update else change.get("lastPusher")


def _asked(state: TraceState, event: Event) -> Update:
    said = read(event, p.BranchUpdateRequested)
    asked = BranchUpdate(head=said.revision, base=said.base, status="asked", last_pusher=last_pusher(state))
    return {"branch_update": asked}


def _done(state: TraceState, event: Event) -> Update:
    action = read(event, p.ActionCompleted)
    asked = state.branch_update
    if action.effect != "UpdateBranch" or asked is None or asked.head != action.request["expectedHead"]:
        return {}
    result = UpdateResult.model_validate(action.result)
    status = "updated" if result.updated else "current"
    update: Update = {
        "branch_update": asked.model_copy(
            update={"status": status, "new_head": result.head, "base": result.base}
        ),
        "base_contained": result.base,
        # What was heard of while the forge was at work may be newer than what it brought in.
        "base_moved_to": "" if state.base_moved_to in {asked.base, result.base} else state.base_moved_to,
    }
    if state.change and state.change["head"] == asked.head:
        update["change"] = state.change | {"head": result.head}
    return update


def _failed(state: TraceState, event: Event) -> Update:
    failure = read(event, p.SkillFailed)
    expected = failure.request.get("expectedHead", "")
    if not failure.exhausted or failure.effect not in {"UpdateBranch", "MergeChange"}:
        return {}
    why = {"reason_code": failure.reason_code, "message": failure.message}
    if failure.effect == "MergeChange":
        at = f"{expected} {state.base_contained}"
        if failure.reason_code == "BranchBehind" and state.behind_at != at:
            return UNKNOWN | {"merge_requested": None, "behind_at": at}
        return {"merge_blocked": MergeBlocked(head=expected, **why)}
    asked = state.branch_update
    if asked is None or asked.status != "asked" or asked.head != expected:
        return {}
    return {"branch_update": asked.model_copy(update={"status": "failed", **why})}


def _reported(state: TraceState, event: Event) -> Update:
    """What another tool says of the head may be what the forge's own rules had waited for."""
    blocked = state.merge_blocked
    good = event.data["state"] == "success"
    return retried() if good and blocked and blocked.head == event.data["revision"] else {}


def _verdict(_state: TraceState, event: Event) -> Update:
    return {"merge_verdict": read(event, p.MergeVerdictChanged)}


def _trial_begun(_state: TraceState, event: Event) -> Update:
    return {"policy_trial": PolicyTrialState(revision=event.data["revision"])}


def _tried(state: TraceState, event: Event) -> Update:
    said = read(event, p.PolicyTried)
    if state.policy_trial is None or state.policy_trial.revision != said.revision:
        return {}
    return {"policy_trial": PolicyTrialState(revision=said.revision, ok=said.ok)}


FOLDS = {
    "pointsman.PolicyTrialRequested": _trial_begun,
    "pointsman.PolicyTried": _tried,
    "pointsman.MergeVerdictChanged": _verdict,
    "pointsman.BranchUpdateRequested": _asked,
    "AgentActionCompleted": _done,
    "AgentSkillFailed": _failed,
    "StatusReported": _reported,
}


def retargeted(state: TraceState, said: dict[str, Any]) -> Update:
    """An approval is of what would be merged where: a change that leads elsewhere now is asked for anew."""
    before, now = (state.change or {}).get("target"), said.get("target")
    if not before or not now or before == now:
        return {}
    ended = {"ended": "invalidated", "why": f"the change leads to {now} now, not to {before}"}
    return {
        "approvals": tuple(one if one.ended else one.model_copy(update=ended) for one in state.approvals),
        "reviews": tuple(one if one.ended else one.model_copy(update=ended) for one in state.reviews),
    }
