"""The fold of a trace's releases: approvals, overrides, verdicts, deployments, rollbacks, retries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.deployment import Deployment
from bot.domain.event import Event
from bot.domain.release import REVIEW, Approval, Delay, Override, Rejection, Release, release_id
from bot.domain.trace_state import Shown, TraceState

Update = dict[str, Any]
Fold = Callable[[TraceState, Event], Update]
FOLDS: dict[str, Fold] = {}


def registering(table: dict[str, Fold]) -> Callable[..., Callable[[Fold], Fold]]:
    """A decorator that enters a fold into `table` under the types it is given."""

    def applies(*types: str) -> Callable[[Fold], Fold]:
        def register(function: Fold) -> Fold:
            table.update(dict.fromkeys(types, function))
            return function

        return register

    return applies


_applies = registering(FOLDS)


@_applies("ApprovalGranted")
def _approval(state: TraceState, event: Event) -> Update:
    granted = read(event, p.ApprovalGranted)
    approval = Approval(
        id=event.id,
        environment=granted.environment,
        revision=granted.revision,
        approver=granted.approver,
        role=granted.role,
        method=granted.method,
        comment=granted.comment,
        approved_at=granted.approved_at,
    )
    return {"approvals": (*state.approvals, approval)}


@_applies("ApprovalRevoked", "ApprovalInvalidated")
def _approval_ended(state: TraceState, event: Event) -> Update:
    how = "revoked" if event.type == "ApprovalRevoked" else "invalidated"
    key = (event.data["environment"], event.data["revision"], event.data["approver"])
    return {
        "approvals": tuple(
            a.model_copy(update={"ended": how, "why": event.data.get("reason", "")})
            if (a.environment, a.revision, a.approver) == key and not a.ended
            else a
            for a in state.approvals
        )
    }


@_applies("ReviewSubmitted")
def _review(state: TraceState, event: Event) -> Update:
    """A reviewer's last word counts; a comment is no word."""
    said = read(event, p.Review)
    if said.state == "commented" or (state.change and state.change["number"] != said.change):
        return {}
    before = _ended(state.reviews, lambda review: same_login(review.approver, said.author))
    if said.state != "approved":
        return {"reviews": before}
    review = Approval(
        id=said.review_id,
        environment="",
        revision=said.revision,
        approver=said.author,
        role="",
        method=REVIEW,
        comment=said.body,
        approved_at=said.submitted_at,
    )
    return {"reviews": (*before, review)}


@_applies("ReviewDismissed")
def _dismissed(state: TraceState, event: Event) -> Update:
    gone = read(event, p.ReviewDismissed).review_id
    return {"reviews": _ended(state.reviews, lambda review: review.id == gone)}


def same_login(one: str, other: str) -> bool:
    """Forges do not tell Jane from jane."""
    return one.casefold() == other.casefold()


def _ended(reviews: tuple[Approval, ...], which: Callable[[Approval], bool]) -> tuple[Approval, ...]:
    return tuple(
        r.model_copy(update={"ended": "revoked"}) if which(r) and not r.ended else r for r in reviews
    )


@_applies("pointsman.ApprovalsCarried")
def _carried(state: TraceState, event: Event) -> Update:
    return {"carried": state.carried | {event.data["toRevision"]: event.data["fromRevision"]}}


@_applies("FreezeOverridden")
def _override(state: TraceState, event: Event) -> Update:
    said = read(event, p.FreezeOverridden)
    override = Override(
        environment=said.environment,
        window=said.window,
        by=said.by,
        role=said.role,
        reason=said.reason,
        at=event.time,
        until=said.until,
        revision=said.revision,
    )
    return {"overrides": (*state.overrides, override)}


@_applies("pointsman.VerdictChanged")
def _verdict(state: TraceState, event: Event) -> Update:
    said = read(event, p.VerdictChanged)
    before = state.releases.get(said.environment)
    release = Release(
        environment=said.environment,
        revision=said.revision,
        phase=said.phase,
        compliance=bool(said.compliance),
        verdict=before.verdict if before else "none",
        release_id=release_id(state.module_id, state.version, said.environment, said.revision),
        shown_state=said.state,
        reason_code=said.reason_code,
        digest=said.digest,
        decided_at=event.time,
        tree=said.verdict,
    )
    shown = (
        state.shown
        if state.shown and state.shown[-1].revision == said.revision
        else (*state.shown, Shown(revision=said.revision, at=event.time))
    )
    return {"releases": state.releases | {said.environment: release}, "shown": shown}


@_applies("ReleaseApproved", "ReleaseDelayed", "ReleaseRejected")
def _release(state: TraceState, event: Event) -> Update:
    said = read(event, p.ReleaseVerdict)
    verdict = event.type.removeprefix("Release").lower()
    before = state.releases.get(said.environment) or Release(
        environment=said.environment,
        revision=said.revision,
        release_id=release_id(said.module_id, said.version, said.environment, said.revision),
    )
    update: Update = {
        "releases": state.releases
        | {
            said.environment: before.model_copy(
                update={
                    "verdict": verdict,
                    "reasons": said.reasons,
                    "decided_at": event.time,
                    "revision": said.revision,
                }
            )
        }
    }
    if event.type == "ReleaseRejected" and event.actor:
        rejection = Rejection(
            environment=said.environment,
            revision=said.revision,
            by=event.actor,
            reason="; ".join(said.reasons),
            at=event.time,
        )
        update["rejections"] = (*state.rejections, rejection)
    if event.type == "ReleaseDelayed" and event.actor and said.next_change_at:
        delay = Delay(environment=said.environment, until=said.next_change_at, by=event.actor, at=event.time)
        update["delays"] = (*(d for d in state.delays if d.environment != said.environment), delay)
    return update


@_applies("AutoMergeOnApprove")
def _merge_requested(_state: TraceState, event: Event) -> Update:
    return {"merge_requested": event.data["revision"]}


@_applies("DeploymentRequested")
def _asked(state: TraceState, event: Event) -> Update:
    asked = read(event, p.DeploymentRequested)
    others = (one for one in state.asked_to_deploy if one.deployment_id != asked.deployment_id)
    return {"asked_to_deploy": (*others, asked)}


@_applies("pointsman.DeploymentAnswered")
def _answered(state: TraceState, event: Event) -> Update:
    answered = event.data["deploymentId"]
    return {"asked_to_deploy": tuple(one for one in state.asked_to_deploy if one.deployment_id != answered)}


@_applies("DeploymentStarted")
def _started(state: TraceState, event: Event) -> Update:
    said = read(event, p.DeploymentStarted)
    deployment = Deployment(
        environment=said.environment,
        release_id=said.release_id,
        revision=said.revision,
        version=said.version,
        status="started",
        attempt=said.attempt,
        retries=said.retries,
        rollback_allowed=said.rollback_allowed,
        strategy=said.strategy,
        started_at=event.time,
    )
    return {"deployments": state.deployments | {said.environment: deployment}}


@_applies("DeploymentCompleted", "DeploymentFailed")
def _deployed(state: TraceState, event: Event) -> Update:
    said = read(event, p.DeploymentEnded)
    before = state.deployments.get(said.environment) or Deployment(
        environment=said.environment,
        release_id=said.release_id,
        revision=said.revision,
        version=said.version,
        status="started",
    )
    status = "completed" if event.type == "DeploymentCompleted" else "failed"
    health = tuple(probe.to_json() for probe in said.health_status)
    return {
        "deployments": state.deployments
        | {
            said.environment: before.model_copy(
                update={
                    "status": status,
                    "ended_at": event.time,
                    "url": said.url,
                    "attempt": said.attempt,
                    "health": health,
                    "rolled_back_to": said.rolled_back_to,
                }
            )
        }
    }


@_applies("RollbackTriggered")
def _rollback(state: TraceState, event: Event) -> Update:
    before = state.deployments.get(event.data["environment"])
    if before is None:
        return {}
    return {
        "deployments": state.deployments
        | {before.environment: before.model_copy(update={"status": "rolling-back"})}
    }
