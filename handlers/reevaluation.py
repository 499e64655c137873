"""Every environment's verdict, told once per change of its text, acted on once per transition.

Before the merge a verdict asks "may this change be merged"; after it, "may this release start here".
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import NOTHING, Decision, Timer, do, record
from bot.domain.effect import PostComment, SetCheck
from bot.domain.event import Draft
from bot.domain.model import rfc3339
from bot.domain.view import View
from handlers import merge_verdict
from handlers.evaluation import Evaluation, evaluate
from handlers.merging import AGENT, go_on, standing
from handlers.policy import policy_digest

STATES: dict[str, Literal["approved", "delayed", "rejected"]] = {
    "approved": "approved",
    "delayed": "delayed",
    "rejected": "rejected",
}
FREEZE = "freeze"
CONCLUSIONS: dict[str, Literal["success", "failure"]] = {"approved": "success", "rejected": "failure"}


def reevaluate(view: View) -> Decision:
    """Every environment's verdict, what is told of it, and what it sets going."""
    evaluations = evaluate(view)
    decision = NOTHING
    for evaluation in evaluations.values():
        decision += _told(evaluation, view) + _transition(evaluation, view) + _wake(evaluation, view)
    if any(_changed(e, view) and not _goes_on(e) for e in evaluations.values()):
        decision += show(evaluations, view)
    verdicts = {name: evaluation.verdict for name, evaluation in evaluations.items()}
    decision += merge_verdict.told(evaluations, view)
    return decision + _start_next(evaluations, view) + go_on(verdicts, view)


def _goes_on(evaluation: Evaluation) -> bool:
    """A merged change that may be deployed: nobody is needed, and what comes of it is shown soon."""
    return evaluation.phase == "deployment" and evaluation.verdict.state == "approved"


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
        compliance=evaluation.compliance or None,
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
    return told + do(check_of(evaluation, view))


def check_of(evaluation: Evaluation, view: View) -> SetCheck:
    """The check that says a verdict."""
    conclusion = CONCLUSIONS.get(evaluation.verdict.state)
    return SetCheck(
        target=view.state.forge,
        repository=view.state.repository,
        purpose="verdict",
        agent_id=AGENT,
        revision=evaluation.revision,
        name=messages.check_name(evaluation.environment),
        conclusion="neutral" if evaluation.observed else conclusion,
        title=messages.verdict_title(evaluation.tree),
        summary=messages.verdict_markdown(evaluation.tree),
        url=messages.release_url(view.base_url, evaluation.release_id, view.state.trace_id),
        buttons=messages.buttons(),
    )


def show(evaluations: dict[str, Evaluation], view: View) -> Decision:
    """Bring the one comment on the change up to date."""
    change = view.state.change
    if change is None:
        return NOTHING
    verdicts = {name: evaluation.verdict for name, evaluation in evaluations.items()}
    waits = change.get("state") == "open" and standing(verdicts, view.state) == "held"
    body = messages.sticky(
        view.state,
        {name: e.tree for name, e in evaluations.items()},
        view.base_url,
        note=messages.branch_waits(change["target"]) if waits else "",
    )
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
            compliance=evaluation.compliance or None,
            next_change_at=evaluation.verdict.next_change_at,
        ),
        environment=evaluation.environment,
        release_id=evaluation.release_id,
        agent_id=AGENT,
        skill_id="EvaluateRelease",
    )


def _wake(evaluation: Evaluation, view: View) -> Decision:
    """Look again at the moments that gates have announced."""
    moments = {child.next_change_at: child.name for child in evaluation.verdict.children}
    found = (_timer(evaluation, name, at) for at, name in moments.items() if at and at > view.now)
    return Decision(timers=tuple(found))


def _timer(evaluation: Evaluation, gate: str, moment: datetime) -> Timer:
    """A freeze begins and ends for everybody at once; any other gate speaks of its own release."""
    at = rfc3339(moment)
    if gate == FREEZE:
        said = p.TriggerRequested(reason=f"a freeze changes at {at}", timer=f"freeze-{at}")
        return Timer(said.timer, moment, draft("TriggerRequested", said), shared=True)
    name = f"boundary-{evaluation.environment}-{at}"
    reason = f"{evaluation.environment}: a gate announced a change for {at}"
    said = p.TriggerRequested(reason=reason, timer=name)
    return Timer(name, moment, draft("TriggerRequested", said, environment=evaluation.environment))


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
