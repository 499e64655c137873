"""A trace made of real drafts, stamped and folded: what the artefacts are projected from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.catalog import CATALOG, draft
from bot.domain.event import Draft, Event, derived_id, stamp
from bot.domain.trace import TraceState, apply
from bot.memory.project import project

BEGAN = datetime(2025, 5, 23, 10, 0, tzinfo=UTC)
HEAD, MERGED, TREE = "a" * 40, "b" * 40, "c" * 40
PROBES = [
    {"name": name, "ok": True, "detail": "200 OK", "attempts": 1, "latencyMs": 3.5}
    for name in ("startup", "readiness", "liveness")
]
TREE_OF_GATES = {
    "state": "delayed",
    "message": "Production waits for one thing.",
    "next_change_at": "2025-05-23T18:00:00.000Z",
    "children": [
        {"state": "approved", "message": "Tests passed.", "children": []},
        {"state": "delayed", "message": "One ProductOwner has to approve.", "children": []},
    ],
}


class Trace:
    """Says facts in order, `seconds` apart, and keeps the fold beside them."""

    def __init__(self, trace_id: str = "trace-2025-05-23-0012", tenant_id: str = "vetclinic-001") -> None:
        self.state = TraceState(tenant_id=tenant_id, trace_id=trace_id)
        self.events: list[Event] = []
        self.now = BEGAN

    def say(self, type_: str, data: dict[str, Any], *, seconds: int = 1, **context: Any) -> Event:
        """Append one fact; `data` is checked against the catalogue."""
        self.now += timedelta(seconds=seconds)
        payload = CATALOG[type_].payload.model_validate(data) if type_ in CATALOG else None
        said = draft(type_, payload, **context) if payload else Draft(type=type_, data=data, **context)
        event = stamp(said, cause=self._cause(), index=0).model_copy(
            update={"sequence": len(self.events) + 1}
        )
        self.events.append(event)
        self.state = apply(self.state, event)
        return event

    def _cause(self) -> Event:
        tenant, trace = self.state.tenant_id, self.state.trace_id
        number = str(len(self.events))
        return Event(
            id=derived_id(tenant, trace, "outside", number),
            source="test",
            type="TriggerRequested",
            time=self.now,
            tenant_id=tenant,
            trace_id=trace,
            project_id="proj-123",
        )

    def files(self) -> dict[str, str]:
        return project(self.state, self.events)


def module(trace: Trace, **more: Any) -> None:
    service = {"command": ["python3", "-m", "booking_service"]}
    data = {
        "repository": "acme/booking",
        "moduleId": "booking-service",
        "version": "1.3.9",
        "service": service,
    }
    trace.say("ModuleGenerated", data | more, actor="studio")
    trace.say(
        "LifecyclePhaseAdvanced",
        {
            "flow": "delivery",
            "fromState": "",
            "toState": "commit_ready",
            "step": 1,
            "trigger": "ModuleGenerated",
        },
    )


def task(trace: Trace, task_id: str, agent: str, skill: str, **ended: Any) -> Callable[[], None]:
    """Schedule a task; call the result to end it."""
    context = {
        "agent_id": agent,
        "skill_id": skill,
        "task_id": task_id,
        "session_id": f"session-{task_id[5:]}",
    }
    scheduled = {
        "taskId": task_id,
        "agent": agent,
        "skill": skill,
        "fsmState": trace.state.flow.state,
        "step": 1,
    }
    trace.say("AgentTaskScheduled", scheduled, sprint_id="sprint-3", feature_id="BookingFlow", **context)

    def end() -> None:
        type_ = "AgentTaskFailed" if ended else "AgentTaskCompleted"
        trace.say(type_, {"taskId": task_id, "agent": agent, "skill": skill} | ended, **context)

    return end


def commit(trace: Trace) -> None:
    end = task(trace, "task-1", "code-committer", "CommitModule")
    trace.say(
        "CommitReady",
        {
            "repository": "acme/booking",
            "branch": "feature/booking-service/trace-2025-05-23-0012",
            "sha": HEAD,
            "tree": TREE,
            "moduleId": "booking-service",
            "version": "1.3.9",
            "message": "feat: add booking-service",
            "changelog": ["Booking."],
            "files": ["app.py"],
            "signed": True,
            "committedAt": "2025-05-23T10:00:03.000Z",
        },
        agent_id="code-committer",
    )
    end()


def change(trace: Trace) -> None:
    trace.say(
        "PullRequestCreated",
        {
            "repository": "acme/booking",
            "number": 7,
            "url": "http://forge/7",
            "title": "feat: add booking-service for trace-1234",
            "source": "feature/booking-service/trace-2025-05-23-0012",
            "target": "main",
            "head": HEAD,
            "changelog": ["Booking."],
            "files": ["app.py"],
        },
        agent_id="pull-request-creator",
    )


def infrastructure(trace: Trace, environment: str, port: int = 8123) -> None:
    namespace = f"vetclinic-001-{environment}"
    trace.say(
        "InfraProvisioned",
        {
            "environment": environment,
            "namespace": namespace,
            "endpoint": f"http://127.0.0.1:{port}",
            "resources": [{"type": "namespace", "name": namespace}],
            "dns": [{"host": f"booking-service.{namespace}.localhost", "target": f"127.0.0.1:{port}"}],
            "secrets": {"DbPassword": "@vault:db", "Leaked": "hunter2"},
        },
        environment=environment,
        agent_id="cloud-provisioner",
    )


def pipeline(trace: Trace) -> None:
    jobs = [{"name": "compile", "stage": "build"}, {"name": "unit", "stage": "test"}]
    trace.say(
        "PipelineReady",
        {
            "repository": "acme/booking",
            "revision": HEAD,
            "path": ".gitlab-ci.yml",
            "template": "python-service",
            "templateVersion": "1.0.0",
            "stages": ["build", "test"],
            "jobs": jobs,
            "committed": True,
        },
        agent_id="devops-engineer",
    )
    results = [
        {"name": "compile", "stage": "build", "status": "success", "durationS": 1.5},
        {"name": "unit", "stage": "test", "status": "success", "durationS": 2.0},
    ]
    trace.say(
        "PipelineFinished",
        {
            "repository": "acme/booking",
            "revision": HEAD,
            "pipelineId": "41",
            "status": "success",
            "coverage": 93.5,
            "jobs": results,
        },
    )
    trace.say("TestsPassed", {"revision": HEAD, "pipelineId": "41", "coverage": 93.5})


def verdict(trace: Trace, environment: str, state: str = "delayed") -> None:
    trace.say(
        "pointsman.VerdictChanged",
        {
            "environment": environment,
            "revision": HEAD,
            "state": state,
            "reasonCode": "ApprovalMissing",
            "digest": "d1",
            "verdict": TREE_OF_GATES,
            "policyDigest": "p1",
        },
        environment=environment,
        agent_id="release-manager",
    )


def decide(trace: Trace, environment: str, how: str, revision: str = MERGED, **more: Any) -> None:
    data = {
        "environment": environment,
        "revision": revision,
        "version": "1.3.9",
        "moduleId": "booking-service",
        "policyVersion": "p1",
    }
    trace.say(f"Release{how}", data | more, environment=environment, agent_id="release-manager")


def approve(trace: Trace, environment: str, approver: str = "alice.jones") -> None:
    trace.say(
        "ApprovalGranted",
        {
            "environment": environment,
            "revision": HEAD,
            "approver": approver,
            "role": "ProductOwner",
            "method": "Studio UI",
            "comment": "Critical fix for outage - CVE override approved",
            "approvedAt": "2025-05-23T10:45:00Z",
        },
        environment=environment,
        actor=approver,
    )


def merge(trace: Trace) -> None:
    trace.say(
        "ChangeMerged",
        {
            "repository": "acme/booking",
            "number": 7,
            "author": "bot",
            "source": "feature/booking-service/trace-2025-05-23-0012",
            "target": "main",
            "head": HEAD,
            "mergeSha": MERGED,
            "tree": TREE,
            "headTree": TREE,
            "mergedBy": "pointsman",
        },
    )
    trace.say("pointsman.ApprovalsCarried", {"fromRevision": HEAD, "toRevision": MERGED, "tree": TREE})


def target(environment: str) -> dict[str, Any]:
    return {
        "environment": environment,
        "releaseId": f"release-{environment}",
        "version": "1.3.9",
        "revision": MERGED,
    }


def start(trace: Trace, environment: str, **more: Any) -> None:
    data = {
        "namespace": f"vetclinic-001-{environment}",
        "strategy": "process",
        "previousVersion": "1.3.8",
        "retries": 2,
    }
    trace.say(
        "DeploymentStarted",
        target(environment) | data | more,
        environment=environment,
        agent_id="deployment-orchestrator",
    )


def tried(
    trace: Trace, environment: str, attempt: int, *, healthy: bool, reason: str, seconds: int = 10
) -> None:
    probes = (
        PROBES
        if healthy
        else [PROBES[0], PROBES[1] | {"ok": False, "detail": "503 Service Unavailable"}, PROBES[2]]
    )
    trace.say(
        "AgentActionCompleted",
        {
            "effectId": f"e-{environment}-{attempt}",
            "effect": "ApplyRelease",
            "purpose": "deploy",
            "request": {"attempt": attempt, "release": target(environment)},
            "result": {
                "healthy": healthy,
                "healthStatus": probes,
                "startupTimeMs": 210.5,
                "restarts": 1,
                "reason": reason,
                "logTail": "listening",
            },
        },
        seconds=seconds,
    )


def complete(trace: Trace, environment: str) -> None:
    trace.say(
        "DeploymentCompleted",
        target(environment)
        | {
            "url": "http://127.0.0.1:8123",
            "pid": 77,
            "healthStatus": PROBES,
            "startupTimeMs": 210.5,
            "restarts": 1,
            "deployedAt": "2025-05-23T10:44:21.000Z",
            "strategy": "process",
        },
        environment=environment,
        agent_id="deployment-orchestrator",
    )


def roll_back(trace: Trace, environment: str) -> None:
    trace.say(
        "RollbackTriggered",
        target(environment) | {"toVersion": "1.3.8", "reason": "readiness failed", "trigger": "automatic"},
        environment=environment,
        agent_id="deployment-orchestrator",
    )
    trace.say(
        "DeploymentFailed",
        target(environment)
        | {
            "healthStatus": PROBES,
            "reason": "1.3.9 was rolled back to 1.3.8.",
            "rolledBackTo": "1.3.8",
            "strategy": "process",
        },
        environment=environment,
        agent_id="deployment-orchestrator",
        seconds=3,
    )


def story() -> Trace:
    """Staging goes well, production is rolled back."""
    trace = Trace()
    module(trace)
    commit(trace)
    change(trace)
    infrastructure(trace, "staging")
    infrastructure(trace, "production", 8124)
    pipeline(trace)
    verdict(trace, "staging", "approved")
    verdict(trace, "production")
    decide(trace, "production", "Delayed", HEAD, reasons=["One ProductOwner has to approve."])
    approve(trace, "production")
    trace.say(
        "FreezeOverridden",
        {
            "environment": "production",
            "window": "weekend",
            "by": "sam",
            "role": "StudioApprover",
            "reason": "outage",
            "revision": HEAD,
        },
        actor="sam",
    )
    merge(trace)
    decide(trace, "staging", "Approved")
    start(trace, "staging")
    tried(trace, "staging", 1, healthy=True, reason="booking-service 1.3.9 answers.", seconds=84)
    complete(trace, "staging")
    decide(trace, "production", "Approved", approvers=["alice.jones"])
    start(trace, "production")
    for attempt in (1, 2, 3):
        tried(trace, "production", attempt, healthy=False, reason="readiness failed")
    roll_back(trace, "production")
    return trace
