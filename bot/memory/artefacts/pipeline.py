"""`pipelines/PipelineSnapshot.yaml` and `pipelines/CIStages.yaml`: what runs before a release.

Every agent adds its part: the DevOps Engineer the stages, the forge their results, the Release Manager the
sign-offs, the Deployment Orchestrator the deployments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.memory.layout import ALL, shared
from bot.memory.text import as_yaml
from bot.memory.trail import environments, head, items, last, mapping, moment, of, text

STAGES = ("build", "test", "scan", "deploy")
OWNERS = {"deploy": "deployment-orchestrator"}
TARGETS = (
    "InfraProvisioned",
    "ReleaseApproved",
    "DeploymentStarted",
    "DeploymentCompleted",
    "DeploymentFailed",
)


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Two files, once there is a pipeline or a run of one."""
    ready, runs = last(events, "PipelineReady"), of(events, "PipelineFinished")
    if ready is None and not runs:
        return
    stages = _stages(ready, runs)
    yield shared(state, "pipelines/CIStages.yaml"), as_yaml(_ci_stages(state, ready, runs, stages))
    yield shared(state, "pipelines/PipelineSnapshot.yaml"), as_yaml(_snapshot(state, events, ready, stages))


def _stages(ready: Event | None, runs: Sequence[Event]) -> dict[str, dict[str, Any]]:
    """Stage -> jobs with their last results, for the four of the house and whatever else the pipeline has."""
    planned = [mapping(job) for job in items(ready.data.get("jobs"))] if ready else []
    ran = [mapping(job) for job in items(runs[-1].data.get("jobs"))] if runs else []
    named = [text(name) for name in items(ready.data.get("stages"))] if ready else []
    names = dict.fromkeys([*STAGES, *named, *(text(job.get("stage")) for job in planned + ran)])
    return {name: _stage(name, planned, ran) for name in names if name}


def _stage(name: str, planned: list[dict[str, Any]], ran: list[dict[str, Any]]) -> dict[str, Any]:
    results = {text(job.get("name")): job for job in ran if job.get("stage") == name}
    jobs = {text(job.get("name")): job for job in planned if job.get("stage") == name} | results
    told = [_job(job_name, results.get(job_name, {})) for job_name in jobs]
    return {"owner": OWNERS.get(name, "devops-engineer"), "status": _status(told), "jobs": told}


def _job(name: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "status": text(result.get("status")) or "pending",
        "allowFailure": result.get("allowFailure") is True,
        "durationS": result.get("durationS") or 0,
        "failureReason": text(result.get("failureReason")),
    }


def _status(jobs: list[dict[str, Any]]) -> str:
    if not jobs:
        return "not-configured"
    counted = {job["status"] for job in jobs if not (job["allowFailure"] and job["status"] != "success")}
    for status in ("failed", "canceled", "pending"):
        if status in counted:
            return status
    return "success"


def _ci_stages(
    state: TraceState, ready: Event | None, runs: Sequence[Event], stages: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return head(state) | {
        "module": head(state)["moduleId"],
        "version": state.version,
        "path": text(ready.data.get("path")) if ready else "",
        "template": text(ready.data.get("template")) if ready else "",
        "templateVersion": text(ready.data.get("templateVersion")) if ready else "",
        "stages": [{"name": name} | stage for name, stage in stages.items() if stage["jobs"]],
        "runs": [_run(event) for event in runs],
    }


def _run(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "pipelineId": text(data.get("pipelineId")),
        "revision": text(data.get("revision")),
        "status": text(data.get("status")),
        "reason": text(data.get("reason")),
        "coverage": data.get("coverage"),
        "url": text(data.get("url")),
        "finishedAt": moment(event),
    }


def _snapshot(
    state: TraceState, events: Sequence[Event], ready: Event | None, stages: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    deployments = {name: found.status for name, found in state.deployments.items()}
    data = ready.data if ready else {}
    deploy = stages["deploy"] | {"environments": deployments}
    if deployments and not deploy["jobs"]:
        deploy["status"] = list(deployments.values())[-1]
    return {
        "stages": stages | {"deploy": deploy},
        "traceId": state.trace_id,
        "module": head(state)["moduleId"],
        "environment": (environments(list(reversed(events)), *TARGETS) or [ALL])[0],
        "version": state.version,
        "moduleId": head(state)["moduleId"],
        "tenantId": state.tenant_id,
        "agentId": "devops-engineer",
        "repository": text(data.get("repository")) or state.repository,
        "revision": text(data.get("revision")) or state.head,
        "path": text(data.get("path")),
        "template": text(data.get("template")),
        "templateVersion": text(data.get("templateVersion")),
        "committed": data.get("committed") is True,
        "generatedAt": moment(ready),
        "signOffs": [
            {"approvedBy": a.approver, "role": a.role, "environment": a.environment, "revision": a.revision}
            for a in state.approvals
            if not a.ended
        ],
        "artifactSignatures": [
            {
                "artifact": "commit",
                "revision": text(event.data.get("sha")),
                "signed": event.data.get("signed") is True,
            }
            for event in of(events, "CommitReady")
        ]
        + [signed for event in of(events, "pointsman.EvidenceAdded") for signed in _signed(event)],
    }


def _signed(event: Event) -> Iterator[dict[str, Any]]:
    """What somebody signed for. Whose signatures count is the policy's word, which the verdict has."""
    said = mapping(event.data.get("attestation"))
    for subject in map(mapping, items(said.get("subjects"))):
        yield {
            "artifact": text(subject.get("name")),
            "digest": text(subject.get("digest")),
            "revision": text(event.data.get("revision")),
            "signed": not text(said.get("refused")),
            "signers": [text(mapping(one).get("identity")) for one in items(said.get("signers"))],
            "eventId": event.id,
        }
