"""The fold of a trace's releases: approvals, overrides, verdicts, deployments, rollbacks, retries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.deployment import Deployment
from bot.domain.event import Event
from bot.domain.release import Approval, Override, Rejection, Release, release_id
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
            a.model_copy(update={"ended": how})
            if (a.environment, a.revision, a.approver) == key and not a.ended
            else a
            for a in state.approvals
        )
    }


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
    return update


@_applies("AutoMergeOnApprove")
def _merge_requested(_state: TraceState, event: Event) -> Update:
    return {"merge_requested": event.data["revision"]}


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
def _ended(state: TraceState, event: Event) -> Update:
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


@_applies("TriggerRequested")
def _triggered(state: TraceState, event: Event) -> Update:
    if event.data.get("reason") == "retry":
        return _retried(state)
    fallen = state.deployments.get(event.data.get("environment", ""))
    if event.data.get("reason") != "service-down" or fallen is None:
        return {}
    again = fallen.model_copy(update={"falls": fallen.falls + 1})
    return {"deployments": state.deployments | {fallen.environment: again}}


def _retried(state: TraceState) -> Update:
    """A person's retry opens failed deployments again; they need a fresh `ReleaseApproved`."""
    ended = {name: d for name, d in state.deployments.items() if d.status == "failed"}
    open_again = {
        name: state.releases[name].model_copy(update={"verdict": "delayed"})
        for name in ended
        if name in state.releases
    }
    return {
        "deployments": {name: d for name, d in state.deployments.items() if name not in ended},
        "releases": state.releases | open_again,
        "retried": (*state.retried, *(d.release_id for d in ended.values())),
    }
