"""What is done to a change when nothing stops it: its branch gets what the target has, then it is merged.

With `update-branch` people are asked about what will be merged: the branch follows its target as soon as that
moves, not only when everybody has approved (docs/adr/0008-the-branch-follows-its-target.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import policies
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import MergeChange, UpdateBranch
from bot.domain.event import Draft
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.code_committer import trailers
from handlers.policy import policy_of, touches_policy

AGENT = "release-manager"
HELD = frozenset({"FreezeActive", "CalendarUnusable", "OnHold", "HeldByPerson", "Paused", "RejectedByPerson"})
"""While one of these holds nothing is merged, so a new head would be work for nothing. A rejection must
moreover not be shaken off by a commit of the bot's."""
PEOPLE_FIRST = frozenset({"MergeConflict", "HeadMoved"})
"""After any other failure the branch is merged as it is."""
Standing = Literal["as it is", "unknown", "behind", "updating", "held", "blocked"]


def go_on(verdicts: Mapping[str, policies.Verdict], view: View) -> Decision:
    """Update the branch, or merge it, or neither."""
    state, policy = view.state, policy_of(view.state)
    change = state.change
    if policy is None or change is None or change.get("state") != "open":
        return NOTHING
    if state.merge_requested == change["head"]:
        return NOTHING
    where = standing(verdicts, state)
    ready = policies.mergeable(policy, verdicts, draft=bool(change.get("draft")))
    if where == "behind" or (where == "unknown" and ready):
        return _update(view)
    if not policy_tried(state):
        return NOTHING
    # Facts of an older head say nothing of what this one touches.
    if not ready or where != "as it is" or state.facts_of != change["head"]:
        return NOTHING
    return _merge(policy, view)


def standing(verdicts: Mapping[str, policies.Verdict], state: TraceState) -> Standing:
    """Where the branch of an open change stands towards its target."""
    change, update, policy = state.change or {}, state.branch_update, policy_of(state)
    follows = policy is not None and policy.merge.update_branch and policy.mode == "enforce"
    if not follows or change.get("fork"):
        return "as it is"
    if update and update.head == change["head"]:
        if update.status == "asked":
            return "updating"
        if update.status == "failed" and update.base == state.base_moved_to:
            return "blocked" if update.reason_code in PEOPLE_FIRST else "as it is"
    if state.base_moved_to:
        return "held" if _held(verdicts, state) else "behind"
    return "as it is" if state.base_contained else "unknown"


def policy_tried(state: TraceState) -> bool:
    """Whether the policy that a change brings was tried at its head, and can be used; else true."""
    trial, head = state.policy_trial, (state.change or {}).get("head")
    known = trial is not None and trial.revision == head and trial.ok is True
    return known or not touches_policy(state)


def _held(verdicts: Mapping[str, policies.Verdict], state: TraceState) -> bool:
    """Whether bringing the branch up to date would be too early: nothing could be merged, or the bot is about
    to commit to it.
    """
    being_made = state.module_event is not None and state.pipeline is None
    codes = {code for verdict in verdicts.values() for code in _codes(verdict)}
    return bool((state.change or {}).get("draft")) or being_made or not HELD.isdisjoint(codes)


def _codes(verdict: policies.Verdict) -> Iterator[str]:
    yield verdict.reason_code
    for child in verdict.children:
        yield from _codes(child)


def _update(view: View) -> Decision:
    state = view.state
    change = state.change or {}
    asked = p.BranchUpdateRequested(
        change=change["number"], revision=change["head"], base=state.base_moved_to
    )
    return record(draft("pointsman.BranchUpdateRequested", asked, agent_id=AGENT)) + do(
        UpdateBranch(
            target=state.forge,
            repository=state.repository,
            purpose="update",
            agent_id=AGENT,
            change=change["number"],
            expected_head=change["head"],
            trailers=trailers(state, AGENT),
        )
    )


def _merge(policy: policies.Policy, view: View) -> Decision:
    state = view.state
    change = state.change or {}
    asked = Draft(
        type="AutoMergeOnApprove",
        agent_id=AGENT,
        data={"change": change["number"], "revision": change["head"]},
    )
    return record(asked) + do(
        MergeChange(
            target=state.forge,
            repository=state.repository,
            purpose="merge",
            agent_id=AGENT,
            change=change["number"],
            expected_head=change["head"],
            target_branch=change["target"],
            method=policy.merge.method,
            message=f"{change['title']} (#{change['number']})",
            trailers=trailers(state, AGENT),
            up_to_date=bool(state.base_contained),
        )
    )
