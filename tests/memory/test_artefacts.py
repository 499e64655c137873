"""Each artefact beside the example it was written after: same names, same nesting (seeds 003 and 004)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.memory import build
from tests.memory.build import HEAD, MERGED, PROBES, TREE, Trace

APPROVAL = """
- releaseId: release-001293
  approvedBy: alice.jones
  role: ProductOwner
  method: Studio UI
  approvedAt: 2025-05-23T10:45:00Z
  comment: "Critical fix for outage - CVE override approved"
"""
ROLLBACK_MAP = """
module: invoice-service
previousVersion: 1.3.8
currentAttempt: 1.3.9
lastKnownGood: 1.3.8
strategy: helm
retryCount: 2
rollbackAllowed: true
"""
TIMELINE = """
- timestamp: 2025-05-23T10:02:00Z
  agent: release-manager
  event: ReleaseApproved
  user: jane.doe
  reason: "QA passed, security validated"
  environment: production
"""
LOG_LINE = """{
  "timestamp": "2025-05-23T10:44:21Z",
  "agent": "deployment-orchestrator",
  "event": "DeploymentCompleted",
  "traceId": "trace-2025-05-23-0012",
  "releaseId": "release-001731",
  "durationMs": 84213,
  "restartCount": 0,
  "status": "Success"
}"""
EXECUTION = """{
  "traceId": "trace-d8c71234",
  "sprintId": "sprint-2025-05-MVP1",
  "featureId": "BookingFlow",
  "agentId": "backend-developer",
  "skillId": "GenerateHandler",
  "status": "Success",
  "durationMs": 1278,
  "artifact": "BookAppointmentHandler.cs"
}"""
INVOCATION = """{
  "traceId": "trace-2025-05-23-0012",
  "fsmState": "release_evaluation",
  "step": 5,
  "retries": 1,
  "tenantId": "vetclinic-001",
  "moduleId": "booking-service"
}"""
CONFIGURATION = """{
  "tenantId": "tenant-abc",
  "projectId": "proj-123",
  "env": "dev",
  "secrets": {"ServiceBusConnectionString": "@vault:sb-dev", "OAuthClientSecret": "@vault:auth-secret"},
  "variables": {"EnvironmentName": "Development", "EnableTelemetry": true}
}"""


def example(text: str) -> list[str]:
    """The names of the user's own example, in its order."""
    found = YAML(typ="safe").load(text)
    return list(found[0] if isinstance(found, list) else found)


def like(name: str, ours: dict[str, Any], text: str) -> None:
    """Every name of the example is there, of the same kind."""
    found = YAML(typ="safe").load(text)
    for key, value in (found[0] if isinstance(found, list) else found).items():
        kind = str if isinstance(value, datetime) else type(value)
        assert isinstance(ours[key], kind), f"{name}: {key}"


ROOT = "memory/trace-2025-05-23-0012"
HERE = f"{ROOT}/tenant-vetclinic-001/env-{{}}/booking-service"


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    return {path: parsed(path, text) for path, text in build.story().files().items()}


def parsed(path: str, text: str) -> Any:
    return json.loads(text) if path.endswith(".json") else YAML(typ="safe").load(text)


def scoped(files: dict[str, Any], environment: str, name: str) -> Any:
    return files[f"{HERE.format(environment)}/{name}"]


def part(of: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: of[name] for name in names}


def test_the_tree_is_the_one_of_the_memory_model(files: dict[str, Any]) -> None:
    of_an_environment = [
        "DNSBindings.yaml",
        "DeploymentSummary.json",
        "EnvironmentConfig.yaml",
        "ReleaseSummary.json",
        "RollbackMap.yaml",
        "RolloutPlan.yaml",
    ]
    assert list(files) == [
        f"{ROOT}/approvals/ApprovalRecords.yaml",
        f"{ROOT}/changes/PullRequestMetadata.json",
        f"{ROOT}/commits/CommitMetadata.json",
        f"{ROOT}/deployments/DeploymentHistory.json",
        f"{ROOT}/fsm/fsm-state.json",
        f"{ROOT}/metadata/session-1/execution-metadata.json",
        f"{ROOT}/pipelines/CIStages.yaml",
        f"{ROOT}/pipelines/PipelineSnapshot.yaml",
        f"{ROOT}/releases/ReleaseHistory.json",
        *(f"{HERE.format('production')}/{name}" for name in of_an_environment),
        *(f"{HERE.format('staging')}/{name}" for name in of_an_environment),
        f"{ROOT}/timeline.yaml",
    ]


def test_every_file_and_every_record_says_whose_it_is(files: dict[str, Any]) -> None:
    for path, data in files.items():
        for record in data if isinstance(data, list) else [data]:
            assert record["traceId"] == "trace-2025-05-23-0012", path
            assert record["moduleId"] == "booking-service", path
            wanted = path.partition("/env-")[2].partition("/")[0]
            assert record["environment"] == wanted if wanted else record["environment"], path


def test_commit_metadata(files: dict[str, Any]) -> None:
    # "Git commit hash, traceId, moduleId, version"
    data = files[f"{ROOT}/commits/CommitMetadata.json"]
    assert part(data, "commitId", "traceId", "moduleId", "version", "tree", "signed", "agentId") == {
        "commitId": HEAD,
        "traceId": "trace-2025-05-23-0012",
        "moduleId": "booking-service",
        "version": "1.3.9",
        "tree": TREE,
        "signed": True,
        "agentId": "code-committer",
    }
    assert [c["commitId"] for c in data["commits"]] == [HEAD]


def test_pull_request_metadata(files: dict[str, Any]) -> None:
    # "PR URL, linked branches"
    data = files[f"{ROOT}/changes/PullRequestMetadata.json"]
    assert part(
        data, "url", "linkedBranches", "number", "title", "state", "mergeSha", "mergedBy", "changelog"
    ) == {
        "url": "http://forge/7",
        "linkedBranches": {"source": "feature/booking-service/trace-2025-05-23-0012", "target": "main"},
        "number": 7,
        "title": "feat: add booking-service for trace-1234",
        "state": "merged",
        "mergeSha": MERGED,
        "mergedBy": "pointsman",
        "changelog": ["Booking."],
    }
    assert (data["createdAt"], data["mergedAt"]) == ("2025-05-23T10:00:06.000Z", "2025-05-23T10:00:17.000Z")


def test_pipeline_snapshot(files: dict[str, Any]) -> None:
    # PipelineSnapshot.yaml: stages (build, test, scan, deploy), traceId, module, environment, version
    data = files[f"{ROOT}/pipelines/PipelineSnapshot.yaml"]
    assert list(data)[:5] == ["stages", "traceId", "module", "environment", "version"]
    assert list(data["stages"]) == ["build", "test", "scan", "deploy"]
    assert {name: stage["status"] for name, stage in data["stages"].items()} == {
        "build": "success",
        "test": "success",
        "scan": "not-configured",
        "deploy": "failed",
    }
    assert data["stages"]["deploy"]["environments"] == {"staging": "completed", "production": "failed"}
    assert part(data, "module", "environment", "version", "template", "committed") == {
        "module": "booking-service",
        "environment": "production",
        "version": "1.3.9",
        "template": "python-service",
        "committed": True,
    }
    assert data["signOffs"] == [
        {"approvedBy": "alice.jones", "role": "ProductOwner", "environment": "production", "revision": HEAD}
    ]
    assert data["artifactSignatures"] == [{"artifact": "commit", "revision": HEAD, "signed": True}]


def test_ci_stages(files: dict[str, Any]) -> None:
    data = files[f"{ROOT}/pipelines/CIStages.yaml"]
    assert [(s["name"], s["status"], [j["name"] for j in s["jobs"]]) for s in data["stages"]] == [
        ("build", "success", ["compile"]),
        ("test", "success", ["unit"]),
    ]
    assert part(data["runs"][0], "pipelineId", "status", "coverage") == {
        "pipelineId": "41",
        "status": "success",
        "coverage": 93.5,
    }


def test_approval_records_are_the_examples_list(files: dict[str, Any]) -> None:
    approval, override = files[f"{ROOT}/approvals/ApprovalRecords.yaml"]
    assert list(approval)[:6] == example(APPROVAL)
    like("approval", approval, APPROVAL)
    assert part(approval, "approvedBy", "role", "method", "approvedAt", "comment", "decision", "status") == {
        "approvedBy": "alice.jones",
        "role": "ProductOwner",
        "method": "Studio UI",
        "approvedAt": "2025-05-23T10:45:00.000Z",
        "comment": "Critical fix for outage - CVE override approved",
        "decision": "approved",
        "status": "active",
    }
    assert approval["releaseId"].startswith("release-")
    assert part(override, "approvedBy", "role", "decision", "window", "comment") == {
        "approvedBy": "sam",
        "role": "StudioApprover",
        "decision": "freeze-overridden",
        "window": "weekend",
        "comment": "outage",
    }


def test_an_approval_tells_how_it_ended() -> None:
    trace = Trace()
    build.module(trace)
    build.approve(trace, "production")
    build.approve(trace, "production", "bob")
    trace.say(
        "ApprovalInvalidated",
        {
            "environment": "production",
            "revision": HEAD,
            "approver": "bob",
            "newRevision": MERGED,
            "reason": "new",
        },
    )
    first, second = YAML(typ="safe").load(trace.files()[f"{ROOT}/approvals/ApprovalRecords.yaml"])
    assert first["status"] == "active"
    assert part(second, "status", "endedReason", "endedAt") == {
        "status": "invalidated",
        "endedReason": "new",
        "endedAt": "2025-05-23T10:00:05.000Z",
    }


def test_a_persons_rejection_is_recorded_and_is_no_approval() -> None:
    trace = Trace()
    build.module(trace)
    data = {"environment": "production", "revision": HEAD, "version": "1.3.9", "moduleId": "booking-service"}
    trace.say("ReleaseRejected", data | {"reasons": ["too risky"]}, actor="rita", environment="production")
    trace.say("ReleaseRejected", data | {"reasons": ["by the bot"]}, environment="production")
    (record,) = YAML(typ="safe").load(trace.files()[f"{ROOT}/approvals/ApprovalRecords.yaml"])
    assert part(record, "rejectedBy", "rejectedAt", "approvedBy", "comment", "decision") == {
        "rejectedBy": "rita",
        "rejectedAt": "2025-05-23T10:00:03.000Z",
        "approvedBy": None,
        "comment": "too risky",
        "decision": "rejected",
    }


def test_release_summary(files: dict[str, Any]) -> None:
    data = scoped(files, "production", "ReleaseSummary.json")
    assert part(
        data, "version", "revision", "status", "reasons", "policyVersion", "approvers", "decidedAt"
    ) == {
        "version": "1.3.9",
        "revision": MERGED,
        "status": "Approved",
        "reasons": ["Tests passed."],
        "policyVersion": "p1",
        "approvers": ["alice.jones"],
        "decidedAt": "2025-05-23T10:01:46.000Z",
    }
    assert part(data["approvals"][0], "approvedBy", "role", "method", "status") == {
        "approvedBy": "alice.jones",
        "role": "ProductOwner",
        "method": "Studio UI",
        "status": "active",
    }
    assert data["overrides"] == [
        {"window": "weekend", "overriddenBy": "sam", "role": "StudioApprover", "reason": "outage"}
    ]
    assert part(
        data["lineage"], "traceId", "commitId", "change", "mergeSha", "carriedFrom", "pipelineIds"
    ) == {
        "traceId": "trace-2025-05-23-0012",
        "commitId": HEAD,
        "change": 7,
        "mergeSha": MERGED,
        "carriedFrom": HEAD,
        "pipelineIds": ["41"],
    }
    assert part(data["validationHashes"], "policy", "verdict", "tree") == {
        "policy": "p1",
        "verdict": "d1",
        "tree": TREE,
    }
    assert data["approvalWaitMs"] == 14000


def test_a_blocked_release_says_why() -> None:
    trace = Trace()
    build.module(trace)
    build.verdict(trace, "production")
    path = f"{HERE.format('production')}/ReleaseSummary.json"
    shown = json.loads(trace.files()[path])
    assert part(shown, "status", "reasons", "nextChangeAt", "reasonCode") == {
        "status": "Delayed",
        "reasons": ["One ProductOwner has to approve."],
        "nextChangeAt": "2025-05-23T18:00:00.000Z",
        "reasonCode": "ApprovalMissing",
    }
    build.decide(trace, "production", "Rejected", HEAD, reasons=["UnauthorizedApprover: bob"])
    decided = json.loads(trace.files()[path])
    assert (decided["status"], decided["reasons"]) == ("Rejected", ["UnauthorizedApprover: bob"])


def test_the_summarys_log_hash_is_the_chains_at_the_decision() -> None:
    from bot.domain.event import GENESIS, chain

    trace = build.story()
    data = json.loads(trace.files()[f"{HERE.format('production')}/ReleaseSummary.json"])["validationHashes"]
    expected = GENESIS
    for event in trace.events[: data["logSequence"]]:
        expected = chain(expected, event.canonical())
    assert trace.events[data["logSequence"] - 1].type == "ReleaseApproved"
    assert data["log"] == expected


def test_release_history(files: dict[str, Any]) -> None:
    data = files[f"{ROOT}/releases/ReleaseHistory.json"]
    assert [(e["event"], e["environment"], e["status"], e["user"]) for e in data["history"]] == [
        ("ReleaseDelayed", "production", "Delayed", None),
        ("FreezeOverridden", "production", "FreezeOverridden", "sam"),
        ("ReleaseApproved", "staging", "Approved", None),
        ("ReleaseApproved", "production", "Approved", "alice.jones"),
        ("RollbackTriggered", "production", "RolledBack", None),
    ]
    assert data["history"][0]["reasons"] == ["One ProductOwner has to approve."]


def test_deployment_summary_of_a_success(files: dict[str, Any]) -> None:
    # "deployedAt", "healthStatus[]", startup time, restarts, and the fields of the structured log
    data = scoped(files, "staging", "DeploymentSummary.json")
    assert part(data, "releaseId", "status", "deployedAt", "healthStatus", "startupTimeMs", "restarts") == {
        "releaseId": "release-staging",
        "status": "Success",
        "deployedAt": "2025-05-23T10:44:21.000Z",
        "healthStatus": PROBES,
        "startupTimeMs": 210.5,
        "restarts": 1,
    }
    assert part(
        data, "restartCount", "durationMs", "namespace", "url", "strategy", "failures", "rollbackActions"
    ) == {
        "restartCount": 1,
        "durationMs": 85000,
        "namespace": "vetclinic-001-staging",
        "url": "http://127.0.0.1:8123",
        "strategy": "process",
        "failures": [],
        "rollbackActions": [],
    }


def test_deployment_summary_of_a_rollback_keeps_the_probes_that_failed(files: dict[str, Any]) -> None:
    # "Captures probes, failures, restarts, rollback actions"
    data = scoped(files, "production", "DeploymentSummary.json")
    assert part(data, "status", "deployedAt", "attempt", "reason", "durationMs", "url") == {
        "status": "RolledBack",
        "deployedAt": None,
        "attempt": 3,
        "reason": "1.3.9 was rolled back to 1.3.8.",
        "durationMs": 34000,
        "url": "",
    }
    assert [(p["name"], p["ok"]) for p in data["healthStatus"]] == [
        ("startup", True),
        ("readiness", False),
        ("liveness", True),
    ]
    assert [(f["attempt"], f["reason"], f["logTail"]) for f in data["failures"]] == [
        (n, "readiness failed", "listening") for n in (1, 2, 3)
    ]
    (action,) = data["rollbackActions"]
    assert part(action, "trigger", "fromVersion", "toVersion", "rolledBackTo", "recoveryMs", "reason") == {
        "trigger": "automatic",
        "fromVersion": "1.3.9",
        "toVersion": "1.3.8",
        "rolledBackTo": "1.3.8",
        "recoveryMs": 3000,
        "reason": "readiness failed",
    }


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (["start"], "InProgress"),
        (["start", "complete"], "Success"),
        (["start", "complete", "RollbackTriggered"], "RollingBack"),
    ],
)
def test_deployment_status_on_the_way(events: list[str], status: str) -> None:
    trace = Trace()
    build.module(trace)
    for name in events:
        if name == "RollbackTriggered":
            data = build.target("staging") | {"toVersion": None, "reason": "asked for", "trigger": "manual"}
            trace.say(name, data, environment="staging", actor="dana")
        else:
            getattr(build, name)(trace, "staging")
    assert json.loads(trace.files()[f"{HERE.format('staging')}/DeploymentSummary.json"])["status"] == status


def test_deployment_history_tracks_what_failed_was_tried_again_and_rolled_back(files: dict[str, Any]) -> None:
    data = files[f"{ROOT}/deployments/DeploymentHistory.json"]
    like("history", data["history"][2], LOG_LINE)
    assert part(data["history"][2], *example(LOG_LINE)) == {
        "timestamp": "2025-05-23T10:01:45.000Z",
        "agent": "deployment-orchestrator",
        "event": "DeploymentCompleted",
        "traceId": "trace-2025-05-23-0012",
        "releaseId": "release-staging",
        "durationMs": 85000,
        "restartCount": 1,
        "status": "Success",
    }
    assert [(e["environment"], e["status"], e["attempt"]) for e in data["history"]] == [
        ("staging", "Started", 1),
        ("staging", "Healthy", 1),
        ("staging", "Success", 1),
        ("production", "Started", 1),
        ("production", "Unhealthy", 1),
        ("production", "Unhealthy", 2),
        ("production", "Unhealthy", 3),
        ("production", "RollbackTriggered", 1),
        ("production", "RolledBack", 1),
    ]


def test_rollback_map(files: dict[str, Any]) -> None:
    data = scoped(files, "production", "RollbackMap.yaml")
    assert list(data)[:7] == example(ROLLBACK_MAP)
    assert dict(list(data.items())[:7]) == {
        "module": "booking-service",
        "previousVersion": "1.3.8",
        "currentAttempt": "1.3.9",
        "lastKnownGood": "1.3.8",
        "strategy": "process",
        "retryCount": 2,
        "rollbackAllowed": True,
    }
    assert data["rolledBackTo"] == "1.3.8"
    assert scoped(files, "staging", "RollbackMap.yaml")["lastKnownGood"] == "1.3.9"


def test_rollout_plan(files: dict[str, Any]) -> None:
    data = scoped(files, "production", "RolloutPlan.yaml")
    assert part(data, "version", "strategy", "namespace", "retries", "rollback") == {
        "version": "1.3.9",
        "strategy": "process",
        "namespace": "vetclinic-001-production",
        "retries": 2,
        "rollback": {"allowed": True, "toVersion": "1.3.8"},
    }
    assert data["steps"][-1] == "on failure try 2 more times, then roll back to 1.3.8"
    assert part(data["probes"], "startup", "readiness", "liveness") == {
        "startup": "/startupz",
        "readiness": "/readyz",
        "liveness": "/livez",
    }


def test_environment_config_holds_references_and_no_secret(files: dict[str, Any]) -> None:
    data = scoped(files, "staging", "EnvironmentConfig.yaml")
    like("configuration", data, CONFIGURATION)
    assert part(data, "tenantId", "projectId", "env", "secrets", "namespace", "endpoint", "resources") == {
        "tenantId": "vetclinic-001",
        "projectId": "proj-123",
        "env": "staging",
        "secrets": {"DbPassword": "@vault:db"},
        "namespace": "vetclinic-001-staging",
        "endpoint": "http://127.0.0.1:8123",
        "resources": [{"type": "namespace", "name": "vetclinic-001-staging"}],
    }
    assert "hunter2" not in str(files)


def test_dns_bindings(files: dict[str, Any]) -> None:
    assert scoped(files, "staging", "DNSBindings.yaml")["bindings"] == [
        {"host": "booking-service.vetclinic-001-staging.localhost", "target": "127.0.0.1:8123"}
    ]


def test_execution_metadata(files: dict[str, Any]) -> None:
    data = files[f"{ROOT}/metadata/session-1/execution-metadata.json"]
    names = (
        "traceId",
        "sprintId",
        "featureId",
        "agentId",
        "skillId",
        "status",
        "durationMs",
        "artifact",
        "output",
    )
    assert part(data, *names) == {
        "traceId": "trace-2025-05-23-0012",
        "sprintId": "sprint-3",
        "featureId": "BookingFlow",
        "agentId": "code-committer",
        "skillId": "CommitModule",
        "status": "Success",
        "durationMs": 2000,
        "artifact": "CommitMetadata.json",
        "output": "CommitMetadata.json",
    }


def test_a_task_that_runs_and_one_that_failed() -> None:
    trace = Trace()
    build.module(trace)
    end = build.task(
        trace, "task-9", "release-manager", "EvaluateRelease", reasonCode="Boom", message="it broke"
    )
    path = f"{ROOT}/metadata/session-9/execution-metadata.json"
    running = json.loads(trace.files()[path])
    assert part(running, "status", "durationMs", "artifact", "error") == {
        "status": "Running",
        "durationMs": None,
        "artifact": "",
        "error": "",
    }
    end()
    failed = json.loads(trace.files()[path])
    assert part(failed, "status", "reasonCode", "error", "artifact") == {
        "status": "Failed",
        "reasonCode": "Boom",
        "error": "it broke",
        "artifact": "",
    }


def test_fsm_state() -> None:
    trace = Trace()
    build.module(trace)
    build.task(trace, "task-1", "code-committer", "CommitModule")
    data = json.loads(trace.files()[f"{ROOT}/fsm/fsm-state.json"])
    like("fsm", data, INVOCATION)
    assert part(data, "traceId", "fsmState", "currentState", "step", "retries", "tenantId", "moduleId") == {
        "traceId": "trace-2025-05-23-0012",
        "fsmState": "commit_ready",
        "currentState": "commit_ready",
        "step": 1,
        "retries": 0,
        "tenantId": "vetclinic-001",
        "moduleId": "booking-service",
    }
    assert data["timeSinceLastTransitionMs"] == 1000
    assert [e["event"] for e in data["lastAgentEvents"]] == ["AgentTaskScheduled"]
    assert data["unmetConditions"] == [{"condition": "code-committer", "environment": "all"}]
    assert [(c["from"], c["to"], c["on"]) for c in data["checkpoints"]] == [
        ("", "commit_ready", "ModuleGenerated")
    ]


def test_timeline_is_studios_list(files: dict[str, Any]) -> None:
    entries = files[f"{ROOT}/timeline.yaml"]
    entry = next(e for e in entries if e["event"] == "ReleaseApproved" and e["environment"] == "production")
    assert list(entry)[:6] == example(TIMELINE)
    assert dict(list(entry.items())[:6]) == {
        "timestamp": "2025-05-23T10:01:46.000Z",
        "agent": "release-manager",
        "event": "ReleaseApproved",
        "user": "alice.jones",
        "reason": "Tests passed.",
        "environment": "production",
    }
    assert "AgentActionCompleted" not in {e["event"] for e in entries}


def test_an_adopted_change_is_named_after_its_repository() -> None:
    trace = Trace("t1")
    trace.say(
        "ChangeOpened",
        {
            "repository": "acme/legacy",
            "number": 3,
            "author": "eve",
            "source": "fix",
            "target": "main",
            "head": HEAD,
        },
    )
    data = json.loads(trace.files()["memory/trace-t1/changes/PullRequestMetadata.json"])
    assert part(data, "moduleId", "author", "agentId", "state") == {
        "moduleId": "legacy",
        "author": "eve",
        "agentId": None,
        "state": "open",
    }
