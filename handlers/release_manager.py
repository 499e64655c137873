"""Release Manager: one verdict per environment, told once per change of its text, acted on once per
transition (seed 003, agent 5).

Before the merge a verdict asks "may this change be merged"; after it, "may this release start here". The
second asks everything
again, so that nothing starts on a stale answer.
"""

from __future__ import annotations

from typing import Literal

import policies
from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Timer, do, record
from bot.domain.effect import GatherFacts, MergeChange, PostComment, SetCheck
from bot.domain.event import Draft, Event
from bot.domain.model import rfc3339
from bot.domain.view import View
from handlers.code_committer import trailers
from handlers.declare import facts, on, skill
from handlers.evaluation import Evaluation, evaluate
from handlers.on_push import REREAD_FACTS
from handlers.policy import policy_digest, policy_of, policy_text

AGENT = "release-manager"
STATES: dict[str, Literal["approved", "delayed", "rejected"]] = {
    "approved": "approved",
    "delayed": "delayed",
    "rejected": "rejected",
}
CONCLUSIONS: dict[str, Literal["success", "failure"]] = {"approved": "success", "rejected": "failure"}
REREAD = (
    "PipelineReady",
    "TestsPassed",
    "TestsFailed",
    "ApprovalGranted",
    "ApprovalRevoked",
    "ApprovalInvalidated",
    "FreezeOverridden",
    "ChangeOpened",
    "ChangeUpdated",
    "ChangeReopened",
    "ChangeLabelled",
    "DeploymentCompleted",
    "DeploymentFailed",
    "pointsman.ApprovalsCarried",
    "TriggerRequested",
    "InfraProvisioned",
    "ReleaseRejected",
)


@skill(AGENT, "EvaluateRelease")
def evaluate_release(task: p.TaskScheduled, view: View) -> Decision:
    """Look at policy, head and people again before the first verdict of this visit."""
    return ask(view, "release", task.task_id)


def ask(view: View, purpose: str, correlation: str, extra: tuple[str, ...] = ()) -> Decision:
    """Gather what a verdict needs: policy text, change, and everyone whose approval might count."""
    state = view.state
    people = {a.approver for a in state.approvals if not a.ended} | {
        (state.change or {}).get("author"),
        *extra,
    }
    return do(
        GatherFacts(
            target=state.forge,
            repository=state.repository,
            purpose=purpose,
            correlation=correlation,
            agent_id=AGENT,
            change=(state.change or {}).get("number"),
            actors=tuple(sorted(name for name in people if name)),
        )
    )


@facts("release")
def on_release_facts(_gathered: p.FactsGathered, view: View) -> Decision:
    """The facts of an evaluation are there."""
    return reevaluate(view)


@on(*REREAD)
def on_anything_gates_read(event: Event, view: View) -> Decision:
    """Evaluate again when something that gates read has changed; with fresh facts when nobody has looked
    yet.
    """
    state = view.state
    if state.change is None or not state.repository or (event.type == "ReleaseRejected" and not event.actor):
        return NOTHING  # a rejection of our own is an answer; a person's is something to read
    if policy_text(state) is None or event.data.get("reason") in REREAD_FACTS:
        return ask(view, "release", event.id)
    return reevaluate(view)


@on("ChangeMerged")
def on_merged(event: Event, view: View) -> Decision:
    """What is merged is what was approved only when the trees are equal; then approvals and tests carry
    over.
    """
    merged = read(event, p.ChangeMerged)
    carry = NOTHING
    if merged.tree and merged.tree == merged.head_tree:
        carried = p.ApprovalsCarried(
            from_revision=merged.head, to_revision=merged.merge_sha, tree=merged.tree
        )
        carry = record(draft("pointsman.ApprovalsCarried", carried, agent_id=AGENT))
    return carry + ask(view, "release", event.id)


@on("ChangeUpdated")
def on_new_revision(event: Event, view: View) -> Decision:
    """A new revision ends the approvals of the old one, and says so."""
    head = read(event, p.Change).head
    stale = [
        a
        for a in view.state.approvals
        if not a.ended and a.revision != head and view.state.carried.get(head) != a.revision
    ]
    return record(
        *(
            draft(
                "ApprovalInvalidated",
                p.ApprovalInvalidated(
                    environment=a.environment,
                    revision=a.revision,
                    approver=a.approver,
                    new_revision=head,
                    reason=messages.new_revision(head),
                ),
                environment=a.environment,
                agent_id=AGENT,
            )
            for a in stale
        )
    )


def reevaluate(view: View) -> Decision:
    """Every environment's verdict, what is told of it, and what it sets going."""
    evaluations = evaluate(view)
    decision = NOTHING
    for evaluation in evaluations.values():
        decision += _told(evaluation, view) + _transition(evaluation, view) + _wake(evaluation, view)
    if any(_changed(e, view) for e in evaluations.values()):
        decision += _sticky(evaluations, view)
    return decision + _start_next(evaluations, view) + _merge(evaluations, view)


def _changed(evaluation: Evaluation, view: View) -> bool:
    before = view.state.releases.get(evaluation.environment)
    return before is None or (before.digest, before.revision) != (evaluation.digest, evaluation.revision)


def _told(evaluation: Evaluation, view: View) -> Decision:
    """Record the new text and put it on the check."""
    if not _changed(evaluation, view):
        return NOTHING
    said = p.VerdictChanged(
        environment=evaluation.environment,
        revision=evaluation.revision,
        state=STATES.get(evaluation.verdict.state, "delayed"),
        digest=evaluation.digest,
        reason_code=evaluation.verdict.reason_code,
        verdict=evaluation.tree,
        policy_digest=policy_digest(view.state),
        phase=evaluation.phase,
    )
    told = record(
        draft(
            "pointsman.VerdictChanged",
            said,
            environment=evaluation.environment,
            release_id=evaluation.release_id,
            agent_id=AGENT,
            skill_id="EvaluateRelease",
        )
    )
    conclusion = CONCLUSIONS.get(evaluation.verdict.state)
    check = SetCheck(
        target=view.state.forge,
        repository=view.state.repository,
        purpose="verdict",
        agent_id=AGENT,
        revision=evaluation.revision,
        name=messages.check_name(evaluation.environment),
        conclusion="neutral" if evaluation.observed else conclusion,
        title=messages.verdict_title(evaluation.tree),
        summary=messages.verdict_markdown(evaluation.tree),
        url=messages.trace_url(view.base_url, view.state.trace_id),
    )
    return told + do(check)


def _sticky(evaluations: dict[str, Evaluation], view: View) -> Decision:
    change = view.state.change
    if change is None:
        return NOTHING
    body = messages.sticky(view.state, {name: e.tree for name, e in evaluations.items()}, view.base_url)
    return do(
        PostComment(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="verdict",
            agent_id=AGENT,
            change=change["number"],
            body=body,
            sticky="verdict",
        )
    )


def _transition(evaluation: Evaluation, view: View) -> Decision:
    """`ReleaseDelayed` and `ReleaseRejected`, once per transition. `ReleaseApproved` is `_start_next`'s."""
    before = view.state.releases.get(evaluation.environment)
    if evaluation.verdict.state == "approved" or (before and before.verdict == evaluation.verdict.state):
        return NOTHING
    return record(_verdict_draft(evaluation, view, f"Release{evaluation.verdict.state.capitalize()}"))


def _verdict_draft(evaluation: Evaluation, view: View, type_: str) -> Draft:
    state = view.state
    approvers = tuple(
        sorted(
            {a.approver for a in state.approvals if not a.ended and a.environment == evaluation.environment}
        )
    )
    return draft(
        type_,
        p.ReleaseVerdict(
            environment=evaluation.environment,
            revision=evaluation.revision,
            version=state.version,
            module_id=state.module_id,
            reasons=evaluation.reasons,
            approvers=approvers,
            policy_version=policy_digest(state),
            next_change_at=evaluation.verdict.next_change_at,
        ),
        environment=evaluation.environment,
        release_id=evaluation.release_id,
        agent_id=AGENT,
        skill_id="EvaluateRelease",
    )


def _wake(evaluation: Evaluation, view: View) -> Decision:
    """Look again at the moment a gate has announced."""
    moment = evaluation.verdict.next_change_at
    if moment is None or moment <= view.now:
        return NOTHING
    name = f"boundary-{evaluation.environment}-{rfc3339(moment)}"
    said = p.TriggerRequested(
        reason=f"{evaluation.environment}: a gate announced a change for {rfc3339(moment)}", timer=name
    )
    return Decision(
        timers=(Timer(name, moment, draft("TriggerRequested", said, environment=evaluation.environment)),)
    )


def _start_next(evaluations: dict[str, Evaluation], view: View) -> Decision:
    """Approve one environment at a time: the next waits until the one before is deployed or has failed."""
    state = view.state
    busy = any(
        release.verdict == "approved"
        and (name not in state.deployments or state.deployments[name].status in {"started", "rolling-back"})
        for name, release in state.releases.items()
    )
    for name, evaluation in evaluations.items():
        before = state.releases.get(name)
        fresh = before is None or before.verdict != "approved" or before.revision != evaluation.revision
        if not busy and evaluation.phase == "deployment" and evaluation.verdict.state == "approved" and fresh:
            return record(_verdict_draft(evaluation, view, "ReleaseApproved"))
    return NOTHING


def _merge(evaluations: dict[str, Evaluation], view: View) -> Decision:
    """Merge when every environment's gates that can hold before the merge hold, and policy lets the bot
    merge.
    """
    state, policy = view.state, policy_of(view.state)
    change = state.change
    if (
        policy is None
        or change is None
        or change.get("state") != "open"
        or state.merge_requested == change["head"]
    ):
        return NOTHING
    if not policies.mergeable(
        policy, {name: e.verdict for name, e in evaluations.items()}, draft=bool(change.get("draft"))
    ):
        return NOTHING
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
            method=policy.merge.method,
            message=f"{change['title']} (#{change['number']})",
            trailers=trailers(state, AGENT),
        )
    )
