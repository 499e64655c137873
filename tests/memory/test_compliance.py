"""Of a regulated release: what its records carry, and that they stay as they were."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.domain.effect import WriteMemory
from bot.memory.writer import MemoryWriter
from tests.memory import build
from tests.memory.build import HEAD, Trace
from tests.memory.test_writer import Log

DIGEST = f"sha256:{'e' * 64}"
PARTS = {
    "total": 2,
    "specVersion": "1.6",
    "licences": [{"licences": ["MIT"], "count": 2, "names": ["a@1", "b@1"]}],
}
SIGNED = {
    "predicateType": "https://slsa.dev/provenance/v1",
    "subjects": [{"name": "booking.tar.gz", "digest": DIGEST}],
    "namesRevision": True,
    "signers": [{"identity": "https://github.com/acme/booking", "issuer": "https://token.example.org"}],
}


def evidence(trace: Trace, kind: str, **said: Any) -> None:
    common = {
        "kind": kind,
        "repository": "acme/booking",
        "revision": HEAD,
        "digest": DIGEST,
        "size": 9,
        "name": kind,
        "source": "upload",
    }
    trace.say("pointsman.EvidenceAdded", common | said, actor="ci")


def regulated(*, compliance: bool = True) -> Trace:
    """Up to a production that runs."""
    trace = Trace()
    for step in (build.module, build.commit, build.change, build.pipeline):
        step(trace)
    evidence(trace, "cyclonedx", parts=PARTS)
    evidence(trace, "sigstore", attestation=SIGNED)
    about = {"environment": "production", "revision": HEAD}
    context = {"environment": "production", "agent_id": "release-manager"}
    flag = {"compliance": True} if compliance else {}
    verdict = {
        "state": "approved",
        "reasonCode": "Approved",
        "digest": "d1",
        "verdict": {},
        "policyDigest": "0123456789ab",
    }
    trace.say("pointsman.VerdictChanged", about | verdict | flag, **context)
    trace.say(
        "ApprovalGranted",
        about | {"approver": "ann", "role": "ReleaseManager", "method": "comment", "comment": "checked", "approvedAt": "2025-05-23T10:45:00Z"},
        actor="ann", **context,
    )  # fmt: skip
    released = about | {
        "version": "1.3.9",
        "moduleId": "booking-service",
        "approvers": ["ann"],
        "policyVersion": "0123456789ab",
    }
    trace.say("ReleaseApproved", released | flag, **context)
    run = about | {"releaseId": "release-1", "version": "1.3.9", "strategy": "process"}
    trace.say("DeploymentStarted", run | {"namespace": "vetclinic-001-production"}, **context)
    attested = about | {
        "releaseId": "release-1",
        "keyId": "sha256:k",
        "envelope": {"payload": "e30=", "payloadType": "x", "signatures": []},
    }
    trace.say("pointsman.ReleaseAttested", attested, **context)
    trace.say("DeploymentCompleted", run | {"deployedAt": "2025-05-23T10:50:00Z"}, **context)
    return trace


def summary(trace: Trace) -> dict[str, Any]:
    (path,) = [
        path for path in trace.files() if path.endswith("env-production/booking-service/ReleaseSummary.json")
    ]
    said: dict[str, Any] = json.loads(trace.files()[path])
    return said


def test_the_summary_names_what_was_read_and_what_was_signed() -> None:
    trace = regulated()
    said = summary(trace)
    assert said["complianceMode"] is True
    assert said["evidence"] == [
        {"kind": kind, "name": kind, "digest": DIGEST, "source": "upload", "revision": HEAD}
        for kind in ("cyclonedx", "sigstore")
    ]
    assert said["attestation"]["signed"] is True
    folder = "memory/trace-2025-05-23-0012/tenant-vetclinic-001/env-production/booking-service"
    assert json.loads(trace.files()[f"{folder}/{said['attestation']['file']}"]) == {
        "payload": "e30=",
        "payloadType": "x",
        "signatures": [],
    }


def test_without_a_key_the_summary_says_so() -> None:
    trace = regulated()
    trace.events = [event for event in trace.events if event.type != "pointsman.ReleaseAttested"]
    assert summary(trace)["attestation"] == {
        "signed": False,
        "reason": "no key is configured, or it could not sign",
    }


def test_the_parts_and_the_signatures_have_their_files() -> None:
    files = regulated().files()
    (listed,) = json.loads(files["memory/trace-2025-05-23-0012/SBOM.json"])["lists"]
    assert (listed["components"], listed["digest"], listed["licences"]) == (2, DIGEST, PARTS["licences"])
    snapshot = YAML(typ="safe").load(files["memory/trace-2025-05-23-0012/pipelines/PipelineSnapshot.yaml"])
    assert snapshot["artifactSignatures"][1]["artifact"] == "booking.tar.gz"
    assert snapshot["artifactSignatures"][1]["signers"] == ["https://github.com/acme/booking"]


def test_every_line_of_the_log_says_under_which_rules_it_was() -> None:
    def lines(trace: Trace) -> list[dict[str, Any]]:
        timeline = YAML(typ="safe").load(trace.files()["memory/trace-2025-05-23-0012/timeline.yaml"])
        return [line for line in timeline if line["event"] in {"ReleaseApproved", "DeploymentCompleted"}]

    assert [(one["compliance"], one["policyVersion"], one["approver"]) for one in lines(regulated())] == [
        (True, "0123456789ab", "ann")
    ] * 2
    assert all("compliance" not in one for one in lines(regulated(compliance=False)))


def records(home: Path) -> dict[str, bytes]:
    room = home / "compliance"
    return {str(path.relative_to(room)): path.read_bytes() for path in room.rglob("*") if path.is_file()}


def test_a_permanent_copy_is_kept_and_never_touched_again(tmp_path: Path) -> None:
    log, trace = Log(), regulated()
    context, writer = log.add(trace), MemoryWriter(tmp_path, log.events)
    writer.perform("e1", WriteMemory(), context)
    end = next(event.sequence for event in trace.events if event.type == "DeploymentCompleted")
    folder = tmp_path / "compliance" / "trace-2025-05-23-0012" / f"{end:06d}-production"
    assert (folder / "memory/trace-2025-05-23-0012/approvals/ApprovalRecords.yaml").is_file()
    assert len((folder / "events.jsonl").read_text().splitlines()) == end
    done = subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST"], cwd=folder, check=False)
    assert done.returncode == 0
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o400}
    before = records(tmp_path)
    trace.say(
        "RollbackTriggered",
        {
            "environment": "production",
            "releaseId": "release-1",
            "version": "1.3.9",
            "toVersion": None,
            "revision": HEAD,
            "reason": "x",
            "trigger": "manual",
        },
        environment="production",
    )
    writer.perform("e2", WriteMemory(), context)
    after = records(tmp_path)
    assert {path: after[path] for path in before} == before
    assert {path.split("/")[1] for path in after} == {f"{end:06d}-production", f"{end + 1:06d}-production"}


def test_a_record_that_is_missing_is_made_again_as_it_was(tmp_path: Path) -> None:
    log, trace = Log(), regulated()
    context, writer = log.add(trace), MemoryWriter(tmp_path, log.events)
    writer.perform("e1", WriteMemory(), context)
    before = records(tmp_path)
    for path in sorted((tmp_path / "compliance").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    evidence(trace, "junit", tests={"total": 1, "failed": 0, "skipped": 0})
    writer.perform("e2", WriteMemory(), context)
    assert records(tmp_path) == before


def test_nothing_half_done_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, trace = Log(), regulated()
    context = log.add(trace)

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("pathlib.Path.chmod", full)
    with pytest.raises(Exception, match="No space left on device"):
        MemoryWriter(tmp_path, log.events).perform("e1", WriteMemory(), context)
    assert records(tmp_path) == {}


def test_of_what_is_not_regulated_nothing_permanent_is_kept(tmp_path: Path) -> None:
    log, trace = Log(), regulated(compliance=False)
    MemoryWriter(tmp_path, log.events).perform("e1", WriteMemory(), log.add(trace))
    assert not (tmp_path / "compliance").exists()
    assert summary(trace)["complianceMode"] is False
