"""`ReleaseSummary.json` of each environment, `releases/ReleaseHistory.json` of the trace (Release Manager).

The summary says what is released, when, by whose leave and why (or why not), under which policy, whence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import GENESIS, Event, chain
from bot.domain.flow_state import environment_of
from bot.domain.payloads import EvidenceAdded
from bot.domain.trace import TraceState
from bot.memory.layout import scoped, shared
from bot.memory.reasons import VERDICT, reasons_of
from bot.memory.text import as_json
from bot.memory.trail import (
    environments,
    head,
    items,
    last,
    mapping,
    milliseconds,
    moment,
    of,
    release_of,
    text,
    within,
)

VSA = "VerificationSummary.dsse.json"
"""The signed summary of what allowed the release, beside this file."""
TRANSITIONS = ("ReleaseApproved", "ReleaseDelayed", "ReleaseRejected")
HISTORY = (*TRANSITIONS, "ReleasePublished", "RollbackTriggered", "FreezeOverridden")
STATUS = {
    "ReleaseApproved": "Approved",
    "ReleaseDelayed": "Delayed",
    "ReleaseRejected": "Rejected",
    "ReleasePublished": "Published",
    "RollbackTriggered": "RolledBack",
    "FreezeOverridden": "FreezeOverridden",
}


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One summary per environment that was evaluated; one history."""
    for environment in environments(events, *TRANSITIONS, VERDICT):
        summary = _summary(state, events, environment)
        yield scoped(state, environment, "ReleaseSummary.json"), as_json(summary)
    history = [_entry(state, events, event) for event in of(events, *HISTORY)]
    for environment in environments(events, "pointsman.ReleaseAttested"):
        attested = last(within(events, environment), "pointsman.ReleaseAttested")
        assert attested is not None  # the environments are those of such events
        yield scoped(state, environment, VSA), as_json(attested.data["envelope"])
    if history:
        data = head(state) | {"version": state.version, "history": history}
        yield shared(state, "releases/ReleaseHistory.json"), as_json(data)


def _summary(state: TraceState, events: Sequence[Event], environment: str) -> dict[str, Any]:
    mine = within(events, environment)
    decided, shown = last(mine, *TRANSITIONS), last(mine, VERDICT)
    latest = last(mine, *TRANSITIONS, VERDICT)
    assert latest is not None  # the caller asks for environments that have one
    said, told = decided.data if decided else {}, shown.data if shown else {}
    tree = mapping(told.get("verdict"))
    return head(state, environment) | {
        "agentId": "release-manager",
        "releaseId": release_of(state, latest),
        "version": text(said.get("version")) or state.version,
        "revision": text(latest.data.get("revision")),
        "phase": text(told.get("phase")),
        "status": _status(latest),
        "reasonCode": text(told.get("reasonCode")),
        "reasons": reasons_of(events, latest),
        "decidedAt": moment(decided),
        "evaluatedAt": moment(latest),
        "publishedAt": moment(last(mine, "ReleasePublished")),
        "nextChangeAt": latest.data.get("nextChangeAt") or tree.get("next_change_at"),
        "policyVersion": text(said.get("policyVersion")) or text(told.get("policyDigest")),
        "complianceMode": _regulated(state, environment),
        "approvers": _approvers(state, said, environment),
        "approvals": _approvals(state, environment),
        "overrides": [
            {"window": o.window, "overriddenBy": o.by, "role": o.role, "reason": o.reason}
            for o in state.overrides
            if o.environment == environment
        ],
        "approvalWaitMs": milliseconds(
            next(iter(of(events, "ReleaseIntentDeclared", "ModuleGenerated")), None),
            last(mine, "ApprovalGranted"),
        ),
        "lineage": _lineage(state, events),
        "validationHashes": _hashes(state, events, latest, shown),
        "evidence": [_report(one) for one in _known(state, text(latest.data.get("revision")))],
        "attestation": _attestation(mine),
        "verdict": tree,
    }


def _regulated(state: TraceState, environment: str) -> bool:
    release = state.releases.get(environment)
    return state.module.get("complianceMode") is True or bool(release and release.compliance)


def _known(state: TraceState, revision: str) -> tuple[EvidenceAdded, ...]:
    """What reports say of a revision, or of the approved one with the same files."""
    own = state.evidence.get(revision, ())
    return own or state.evidence.get(state.carried.get(revision, ""), ())


def _report(said: EvidenceAdded) -> dict[str, Any]:
    return {
        "kind": said.kind,
        "name": said.name,
        "digest": said.digest,
        "source": said.source,
        "revision": said.revision,
    }


def _attestation(mine: Sequence[Event]) -> dict[str, Any]:
    """Whether the release is vouched for by the bot's own signature, and where it is."""
    attested, started = last(mine, "pointsman.ReleaseAttested"), last(mine, "DeploymentStarted")
    if attested:
        return {
            "signed": True,
            "keyId": text(attested.data.get("keyId")),
            "file": VSA,
            "eventId": attested.id,
        }
    why = "no key is configured, or it could not sign" if started else "nothing was deployed yet"
    return {"signed": False, "reason": why}


def _status(latest: Event) -> str:
    if latest.type in TRANSITIONS:
        return STATUS[latest.type]
    return text(latest.data.get("state")).capitalize()


def _approvers(state: TraceState, data: dict[str, Any], environment: str) -> list[str]:
    said = [str(name) for name in items(data.get("approvers"))]
    return said or sorted(
        {a.approver for a in state.approvals if a.environment == environment and not a.ended}
    )


def _approvals(state: TraceState, environment: str) -> list[dict[str, Any]]:
    return [
        {
            "approvedBy": a["approver"],
            "role": a["role"],
            "method": a["method"],
            "approvedAt": a["approvedAt"],
            "comment": a["comment"],
            "revision": a["revision"],
            "status": a["ended"] or "active",
        }
        for a in (approval.to_json() for approval in state.approvals if approval.environment == environment)
    ]


def _lineage(state: TraceState, events: Sequence[Event]) -> dict[str, Any]:
    """From intent to what is released: each link names the event that proves it."""
    change = state.change or {}
    links = (
        "ModuleGenerated",
        "ReleaseIntentDeclared",
        "CommitReady",
        "PullRequestCreated",
        "PipelineReady",
        "TestsPassed",
        "ChangeMerged",
        "ReleaseApproved",
    )
    proofs = {name: last(events, name) for name in links}
    return {
        "traceId": state.trace_id,
        "parentTraceId": next((event.parent_trace_id for event in events if event.parent_trace_id), None),
        "projectId": next((event.project_id for event in events if event.project_id), None),
        "repository": state.repository,
        "commitId": text((state.commit or {}).get("sha")),
        "change": change.get("number"),
        "changeUrl": text(change.get("url")),
        "mergeSha": change.get("mergeSha"),
        "carriedFrom": state.carried.get(text(change.get("mergeSha"))),
        "pipelineIds": [text(event.data.get("pipelineId")) for event in of(events, "PipelineFinished")],
        "events": {name: event.id for name, event in proofs.items() if event},
    }


def _hashes(state: TraceState, events: Sequence[Event], latest: Event, shown: Event | None) -> dict[str, Any]:
    """What to compare with: the policy's text, the verdict, the approved tree, the log up to then."""
    log = GENESIS
    for event in events:
        if event.sequence <= latest.sequence:
            log = chain(log, event.canonical())
    merged = last(events, "ChangeMerged")
    return {
        "policy": text(shown.data.get("policyDigest")) if shown else "",
        "verdict": text(shown.data.get("digest")) if shown else "",
        "tree": text((merged.data if merged else state.commit or {}).get("tree")),
        "log": log,
        "logSequence": latest.sequence,
    }


def _entry(state: TraceState, events: Sequence[Event], event: Event) -> dict[str, Any]:
    """One line of the history, in the shape of the structured log."""
    data = event.data
    reason = text(data.get("reason"))
    reasons = [reason] if reason else reasons_of(events, event) if event.type in TRANSITIONS else []
    return (
        head(state, environment_of(event))
        | {
            "timestamp": moment(event),
            "agent": event.agent_id or "release-manager",
            "event": event.type,
            "releaseId": release_of(state, event),
            "status": STATUS[event.type],
            "version": text(data.get("version")) or state.version,
            "revision": text(data.get("revision")),
            "reasons": reasons,
            "user": event.actor
            or text(data.get("by"))
            or ", ".join(map(str, items(data.get("approvers"))))
            or None,
            "policyVersion": text(data.get("policyVersion")),
            "eventId": event.id,
        }
        | ({"compliance": True} if data.get("compliance") is True else {})
    )
