"""`pointsman/merge`: whether a change may be merged, over all environments, as one check with a stable name.

Branch protection names this one check. The checks of the environments come and go with the policy, and a
required check that nobody sets any more would stop every merge.
See docs/adr/0009-one-check-guards-the-branch.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import SetCheck
from bot.domain.view import View
from handlers.evaluation import Evaluation
from handlers.merging import AGENT, policy_tried
from handlers.policy import policy_digest

CONCLUSIONS: dict[str, Literal["success", "failure"]] = {"approved": "success", "rejected": "failure"}


def told(evaluations: Mapping[str, Evaluation], view: View) -> Decision:
    """Say it when it has changed: for this head, for another answer, for other environments."""
    verdict = verdict_of(evaluations, view)
    before = view.state.merge_verdict
    if verdict is None or (before and _answer(before) == _answer(verdict)):
        return NOTHING
    said = record(draft("pointsman.MergeVerdictChanged", verdict, agent_id=AGENT))
    return said + do(*check(evaluations, view))


def check(evaluations: Mapping[str, Evaluation], view: View) -> tuple[SetCheck, ...]:
    """The check; none when there is no open change."""
    verdict = verdict_of(evaluations, view)
    if verdict is None:
        return ()
    conclusion = CONCLUSIONS.get(verdict.state)
    return (
        SetCheck(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="verdict",
            agent_id=AGENT,
            revision=verdict.revision,
            name=messages.MERGE_CHECK,
            conclusion="neutral" if verdict.observed else conclusion,
            title=messages.merge_title(verdict.state, verdict.waits_for, observed=verdict.observed),
            summary=messages.merge_summary(tuple(evaluations)),
            url=messages.trace_url(view.base_url, view.state.trace_id),
        ),
    )


def _answer(verdict: p.MergeVerdictChanged) -> tuple[object, ...]:
    return verdict.revision, verdict.state, verdict.waits_for, verdict.observed


def verdict_of(evaluations: Mapping[str, Evaluation], view: View) -> p.MergeVerdictChanged | None:
    """Whether the open change may be merged; None when there is none, or nothing to say about it."""
    change = view.state.change or {}
    if not evaluations or change.get("state") != "open":
        return None
    states: dict[str, str] = {name: evaluation.verdict.state for name, evaluation in evaluations.items()}
    trial = view.state.policy_trial
    if not policy_tried(view.state):
        known = trial is not None and trial.revision == change["head"] and trial.ok is False
        states[messages.POLICY_CHECK] = "rejected" if known else "delayed"
    rejected = tuple(name for name, state in states.items() if state == "rejected")
    waiting = tuple(name for name, state in states.items() if state != "approved")
    return p.MergeVerdictChanged(
        change=change["number"],
        revision=change["head"],
        state="rejected" if rejected else "delayed" if waiting else "approved",
        waits_for=rejected or waiting,
        observed=any(evaluation.observed for evaluation in evaluations.values()),
        policy_digest=policy_digest(view.state),
    )
