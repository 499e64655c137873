"""One trace as the bot tells it, from submission to a production that waits on Friday evening.

For tests of readers.

    events = story()                               # blocked by approval and freeze
    tell(store, "acme", "trace-1")                 # appended to a database
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.event import Event
from bot.log import Store, append

BEGAN = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SHA, TREE, MERGED = "a1" * 20, "b2" * 20, "c3" * 20
URL = "http://127.0.0.1:8080/forge/acme/booking/changes/1"


def gate(name: str, state: str, code: str, message: str, **more: Any) -> dict[str, Any]:
    """One node of a verdict tree."""
    plain = {"have": "", "need": "", "who_can": [], "next_change_at": None, "children": []}
    return {"name": name, "state": state, "reason_code": code, "message": message} | plain | more


FREEZE = gate(
    "freeze",
    "delayed",
    "FreezeActive",
    "Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris. "
    "Wait, or say `/override-freeze production <reason>`.",
    have="frozen by weekend",
    need="open",
    who_can=["sam"],
    next_change_at="2026-11-23T07:00:00.000Z",
)
OWNER = gate(
    "ProductOwner",
    "delayed",
    "ApprovalMissing",
    "Needs an approval by ProductOwner: `/approve-release production`.",
    need="ProductOwner",
    who_can=["jane.doe"],
)
APPROVALS = gate(
    "approvals",
    "delayed",
    "ApprovalMissing",
    "Needs ProductOwner.",
    need="ProductOwner",
    who_can=["jane.doe"],
    children=[OWNER],
)
TESTS = gate(
    "tests-passed", "approved", "TestsPassed", "The tests of a1a1a1a passed.", have="passed", need="passed"
)
BLOCKED = gate(
    "production",
    "delayed",
    "FreezeActive",
    f"{FREEZE['message']} Also: approvals.",
    have="1 of 3 gates",
    need="3 gates",
    who_can=["sam", "jane.doe"],
    next_change_at="2026-11-23T07:00:00.000Z",
    children=[FREEZE, APPROVALS, TESTS],
)
READY = gate(
    "staging",
    "approved",
    "Approved",
    "Every gate holds.",
    have="1 of 1 gates",
    need="1 gate",
    children=[TESTS],
)


def module(**more: Any) -> dict[str, Any]:
    """A payload of `ModuleGenerated`."""
    files = [{"path": "booking/__main__.py", "content": "print('hi')\n", "encoding": "utf-8"}]
    return {
        "repository": "acme/booking", "forge": "local", "moduleId": "booking", "version": "1.0.0",
        "files": files, "summary": "add booking", "changelog": ["Book appointments"],
    } | more  # fmt: skip


def change(**more: Any) -> dict[str, Any]:
    """A payload of the events of a change."""
    return {
        "repository": "acme/booking", "number": 1, "title": "feat: add booking", "url": URL,
        "author": "pointsman[bot]", "source": "feature/booking/trace-1", "target": "main", "head": SHA,
    } | more  # fmt: skip


def verdict(environment: str, tree: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A payload of `pointsman.VerdictChanged`."""
    return {
        "environment": environment, "revision": SHA, "state": tree["state"],
        "reasonCode": tree["reason_code"], "digest": f"digest-{environment}-{tree['state']}", "verdict": tree,
        "policyDigest": "0123456789ab", "phase": "change",
    } | more  # fmt: skip


STORY: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("ModuleGenerated", module(), {"actor": "ada"}),
    (
        "CommitReady",
        {
            "repository": "acme/booking",
            "branch": "feature/booking/trace-1",
            "sha": SHA,
            "tree": TREE,
            "moduleId": "booking",
            "version": "1.0.0",
            "message": "feat: add booking",
            "files": ["booking/__main__.py"],
            "signed": True,
        },
        {"agentId": "code-committer"},
    ),
    (
        "PullRequestCreated",
        {
            "repository": "acme/booking",
            "number": 1,
            "url": URL,
            "title": "feat: add booking",
            "source": "feature/booking/trace-1",
            "target": "main",
            "head": SHA,
        },
        {"agentId": "pull-request-creator"},
    ),
    ("ChangeOpened", change(), {"actor": "pointsman[bot]"}),
    (
        "PipelineReady",
        {
            "repository": "acme/booking",
            "revision": SHA,
            "path": ".gitlab-ci.yml",
            "template": "python-service",
            "templateVersion": "1",
            "stages": ["test", "package"],
            "committed": True,
        },
        {"agentId": "devops-engineer"},
    ),
    (
        "PipelineFinished",
        {
            "repository": "acme/booking",
            "revision": SHA,
            "pipelineId": "7",
            "status": "success",
            "coverage": 91.5,
            "url": "http://127.0.0.1:8080/forge/acme/booking/pipelines/7",
            "jobs": [{"name": "unit", "stage": "test", "status": "success"}],
        },
        {},
    ),
    ("TestsPassed", {"revision": SHA, "pipelineId": "7", "coverage": 91.5}, {}),
    (
        "pointsman.VerdictChanged",
        verdict("staging", READY),
        {"environment": "staging", "agentId": "release-manager"},
    ),
    (
        "pointsman.VerdictChanged",
        verdict("production", BLOCKED),
        {"environment": "production", "agentId": "release-manager"},
    ),
    (
        "ReleaseDelayed",
        {
            "environment": "production",
            "revision": SHA,
            "version": "1.0.0",
            "moduleId": "booking",
            "reasons": ["Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris."],
            "nextChangeAt": "2026-11-23T07:00:00.000Z",
        },
        {"environment": "production", "agentId": "release-manager"},
    ),
    (
        "CommandRefused",
        {
            "command": "approve-release",
            "line": "/approve-release production let me",
            "reasonCode": "UnauthorizedApprover",
            "message": "`mallory` may not use `/approve-release`; it takes ProductOwner.",
            "correlation": "c-1",
        },
        {"actor": "mallory"},
    ),
)
STAGED = (
    (
        "DeploymentStarted",
        {
            "environment": "staging",
            "namespace": "acme-staging",
            "releaseId": "release-0",
            "revision": MERGED,
            "version": "1.0.0",
            "strategy": "process",
        },
        {"environment": "staging", "agentId": "deployment-orchestrator"},
    ),
    (
        "DeploymentCompleted",
        {
            "environment": "staging",
            "releaseId": "release-0",
            "revision": MERGED,
            "version": "1.0.0",
            "url": "http://127.0.0.1:9000",
        },
        {"environment": "staging", "agentId": "deployment-orchestrator"},
    ),
)
RELEASED: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    (
        "ApprovalGranted",
        {
            "environment": "production",
            "revision": SHA,
            "approver": "jane.doe",
            "role": "ProductOwner",
            "method": "comment",
            "comment": "looks right",
            "approvedAt": "2026-11-20T18:00:30Z",
        },
        {"environment": "production", "actor": "jane.doe"},
    ),
    (
        "FreezeOverridden",
        {
            "environment": "production",
            "window": "weekend",
            "by": "sam",
            "role": "StudioApprover",
            "reason": "customers wait",
            "until": "2026-11-23T07:00:00Z",
        },
        {"environment": "production", "actor": "sam"},
    ),
    ("ChangeMerged", change(mergeSha=MERGED, tree=TREE, headTree=TREE), {"actor": "pointsman[bot]"}),
    *STAGED,
    (
        "DeploymentStarted",
        {
            "environment": "production",
            "namespace": "acme-production",
            "releaseId": "release-1",
            "revision": MERGED,
            "version": "1.0.0",
            "strategy": "process",
        },
        {"environment": "production", "agentId": "deployment-orchestrator"},
    ),
    (
        "DeploymentCompleted",
        {
            "environment": "production",
            "releaseId": "release-1",
            "revision": MERGED,
            "version": "1.0.0",
            "url": "http://127.0.0.1:9001",
        },
        {"environment": "production", "agentId": "deployment-orchestrator"},
    ),
    (
        "ReleasePublished",
        {"environment": "production", "revision": MERGED, "version": "1.0.0", "moduleId": "booking"},
        {"agentId": "deployment-orchestrator"},
    ),
)


def story(
    trace: str = "trace-1",
    tenant: str = "acme",
    *,
    then: Sequence[tuple[str, dict[str, Any], dict[str, Any]]] = (),
) -> list[Event]:
    """The events up to where production waits, and whatever happens `then`."""
    return [
        event(number, *said, trace=trace, tenant=tenant)
        for number, said in enumerate([*STORY, *then], start=1)
    ]


def event(
    number: int,
    type_: str,
    data: dict[str, Any],
    context: dict[str, Any] | None = None,
    *,
    trace: str = "trace-1",
    tenant: str = "acme",
) -> Event:
    """The `number`-th event of a trace, so many seconds after it began."""
    fields = {
        "id": f"{trace}-{number}",
        "source": "pointsman",
        "type": type_,
        "time": BEGAN + timedelta(seconds=number),
        "tenantId": tenant,
        "traceId": trace,
        "sequence": number,
        "data": data,
    }
    return Event.model_validate(fields | (context or {}))


def tell(store: Store, tenant: str = "acme", trace: str = "trace-1", **more: Any) -> list[Event]:
    """Append the story to a trace of a database."""
    with store.begin() as session:
        return append(session, story(trace, tenant, **more))
