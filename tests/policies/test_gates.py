"""Every gate by table: what it says of what, in which words; and what holds for all of them."""

# ruff: noqa: ISC004  sentences are asserted whole, beside what causes them

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policies
from bot.domain.deployment import Slot
from bot.domain.release import Start
from policies import PolicyErrors, ReleaseFacts, Verdict
from policies.facts import Artifact, Commit, Component, Finding, Lock, Signature, Stage
from policies.gates import GATES
from tests.policies.builders import HEAD, MERGED, NOON, facts, of_gates

NONE: dict[str, Any] = {}
DEPLOYED: dict[str, Any] = {"phase": "deployment"}


def stages(**said: str) -> dict[str, Any]:
    return {"stages": {HEAD: tuple(Stage(name=name, status=status) for name, status in said.items())}}  # type: ignore[arg-type]


def slot(**said: Any) -> dict[str, Any]:
    known = {"running_revision": HEAD, "running_version": "1.2.0", "healthy": True, "running_since": NOON}
    return DEPLOYED | {"slots": {"staging": Slot(environment="staging", **(known | said))}}


def found(*severities: str) -> dict[str, Any]:
    listed = tuple(Finding(id=f"CVE-{n}", severity=s, component="libx") for n, s in enumerate(severities))  # type: ignore[arg-type]
    return {"findings": {HEAD: listed}}


def parts(**licences: tuple[str, ...]) -> dict[str, Any]:
    return {
        "components": {HEAD: tuple(Component(name=name, licences=said) for name, said in licences.items())}
    }


def commits(*said: dict[str, Any]) -> dict[str, Any]:
    return {"commits": tuple(Commit(sha=HEAD, **one) for one in said)}


def artifact(*signatures: Signature) -> dict[str, Any]:
    return {"artifacts": {HEAD: (Artifact(name="booking", signatures=signatures),)}}


GOOD = Signature(identity="key:release", verified=True)

TABLE: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("pipeline-stages-present: [build, Test]", NONE, "delayed", "StagesUnknown",
     "Waits for the pipeline to end: nothing is known of its stages yet."),
    ("pipeline-stages-present: [build, Test]", stages(build="passed", test="passed"), "approved", "StagesPassed",
     "Passed: build, Test."),
    ("pipeline-stages-present: [build, scan, sign]", stages(build="passed"), "rejected", "StageMissing",
     "The pipeline has no stage scan and no stage sign: put it into the pipeline."),
    ("pipeline-stages-present: [build, scan]", stages(build="running", scan="skipped"), "rejected", "StageNotPassed",
     "The stage scan is skipped, and must have passed."),
    ("pipeline-stages-present: [build]", stages(build="running"), "delayed", "StageNotPassed",
     "The stage build is running, and must have passed."),
    ("soak: {time: 24h, environments: staging}", DEPLOYED, "delayed", "SoakNotStarted", "Waits for 1.2.0 to run healthily in staging."),
    ("soak: 24h", DEPLOYED, "rejected", "SoakNowhere",
     "There is no environment before this one to be healthy in: name it, or write `after`."),
    ("soak: {time: 24h, environments: staging}", slot(), "delayed", "Soaking",
     "Waits until Thu 2026-11-19 12:00:00 UTC, by itself, if it stays healthy."),
    ("soak: {time: 24h, environments: staging}", slot(running_since=NOON - timedelta(hours=25)), "approved", "Soaked",
     "Healthy in staging for 1d1h."),
    ("soak: {time: 24h, environments: staging}", slot(healthy=False), "delayed", "SoakNotStarted", "Waits for 1.2.0 to run healthily in staging."),
    ("soak: {time: 24h, environments: staging}", slot(running_revision=MERGED), "delayed", "SoakNotStarted", "Waits for 1.2.0 to run healthily in staging."),
    ("vulnerabilities: {block: high}", NONE, "delayed", "ScanMissing", "Waits for a scan of this revision."),
    ("vulnerabilities: {block: high}", found("low", "medium"), "approved", "NothingFound", "The scan found nothing high or worse."),
    ("vulnerabilities: {block: high}", found("low", "high", "critical"), "rejected", "VulnerabilitiesFound",
     "Found CVE-2 (critical in libx), CVE-1 (high in libx): update what is hit, or accept it under `allow` of the policy."),
    ("vulnerabilities: {block: high, allow: cve-0}", found("high"), "approved", "NothingFound", "The scan found nothing high or worse."),
    ("vulnerabilities: {block: low}", found(*["low"] * 5), "rejected", "VulnerabilitiesFound",
     "Found CVE-0 (low in libx), CVE-1 (low in libx), CVE-2 (low in libx) and 2 more: update what is hit, or accept it "
     "under `allow` of the policy."),
    ("licences: {deny: [GPL-3.0-only]}", NONE, "delayed", "SbomMissing", "Waits for the list of parts (SBOM) of this revision."),
    ("licences: {deny: [GPL-3.0-only]}", parts(a=("MIT",)), "approved", "LicencesFit", "All 1 parts may be shipped."),
    ("licences: {deny: [GPL-3.0-only]}", parts(a=("gpl-3.0-only",)), "rejected", "LicenceDenied",
     "a (gpl-3.0-only) may not be shipped: take another part."),
    ("licences: {deny: [GPL-3.0-only]}", parts(a=("GPL-3.0-only", "MIT")), "approved", "LicencesFit", "All 1 parts may be shipped."),
    ("licences: {allow: [MIT]}", parts(a=("MIT",), b=("ISC",)), "rejected", "LicenceDenied", "b (ISC) may not be shipped: take another part."),
    ("licences: {allow: [MIT]}", parts(a=()), "rejected", "LicenceUnknown", "Nobody knows the licence of a: state it in the SBOM."),
    ("licences: {allow: [MIT], unknown: allow}", parts(a=()), "approved", "LicencesFit", "All 1 parts may be shipped."),
    ("sbom-present", NONE, "delayed", "SbomMissing", "Waits for the list of parts (SBOM) of this revision."),
    ("sbom-present", parts(), "delayed", "SbomMissing", "Waits for the list of parts (SBOM) of this revision."),
    ("sbom-present", parts(a=()), "approved", "SbomPresent", "An SBOM lists 1 parts."),
    ("signed-artifacts", NONE, "delayed", "ArtifactsUnknown", "Waits for the pipeline to say what it built, and who signed it."),
    ("signed-artifacts", artifact(GOOD), "approved", "ArtifactsSigned", "Signed: booking."),
    ("signed-artifacts", artifact(), "rejected", "ImageUnsigned", "booking is not signed. Build it again, signed."),
    ("signed-artifacts", artifact(Signature(identity="key:release")), "rejected", "NobodyTrusted",
     "booking is signed, but the policy trusts nobody's signature. Name keys or identities under `trust`."),
    ("signed-artifacts", artifact(Signature(identity="ci", verified=True, names_revision=False)), "rejected", "SignatureUnbound",
     "What is signed of booking does not say of which revision it was built. Sign SLSA provenance of it."),
    ("signed-artifacts", NONE | {"unread": {HEAD: ("out/p.json (NotAnEnvelope: payload must be text)",)}}, "delayed", "ArtifactsUnknown",
     "Waits for the pipeline to say what it built, and who signed it. Could not be read: out/p.json (NotAnEnvelope: payload must be text)."),
    ("vulnerabilities: {block: high}", {"findings": {HEAD: (Finding(id="CVE-1", severity="high", component="libx", count=3), Finding(id="", severity="high", count=9))}},
     "rejected", "VulnerabilitiesFound", "Found CVE-1 (high in libx, 3 times) and 9 more: update what is hit, or accept it under `allow` of the policy."),
    ("vulnerabilities: {block: high, allow: CVE-1}", {"findings": {HEAD: (Finding(id="CVE-1", severity="high", count=3), Finding(id="", severity="critical", count=1))}},
     "rejected", "VulnerabilitiesFound", "Found 1 that are high or worse: update what is hit, or accept it under `allow` of the policy."),
    ("licences: {deny: [GPL-3.0-only]}", parts(libx=("GPL-3.0-only AND MIT",)), "rejected", "LicenceDenied", "libx (GPL-3.0-only AND MIT) may not be shipped: take another part."),
    ("licences: {deny: [GPL-3.0-only]}", parts(libx=("GPL-3.0-only AND MIT", "MIT")), "approved", "LicencesFit", "All 1 parts may be shipped."),
    ("licences: {allow: [MIT]}", parts(libx=("ISC AND MIT",)), "rejected", "LicenceDenied", "libx (ISC AND MIT) may not be shipped: take another part."),
    ("rollback-plan", NONE, "approved", "RollbackPlanned", "The way back is automatic."),
    ("sbom-present", {"components": {HEAD: (Component(name="a", count=40), Component(name="b", count=2))}}, "approved", "SbomPresent", "An SBOM lists 42 parts."),
    ("tests-passed: {accept: evidence}", {"tests": {HEAD: "passed"}}, "delayed", "TestsMissing",
     "Waits for the pipeline of aaaaaaa: nothing is known of its tests yet."),
    ("tests-passed: {accept: evidence}", {"tests": {}, "test_reports": {HEAD: "passed"}}, "approved", "TestsPassed", "The tests of aaaaaaa passed."),
    ("tests-passed: {accept: [pipeline, evidence]}", {"test_reports": {HEAD: "failed"}}, "rejected", "TestsFailed",
     "The tests of aaaaaaa failed: push a fix, or /retry if it was not the code."),
    ("tests-passed: {accept: [pipeline, evidence]}", {"tests": {}, "test_reports": {HEAD: "passed"}}, "approved", "TestsPassed", "The tests of aaaaaaa passed."),
    ("tests-passed", {"tests": {HEAD: "passed"}, "test_reports": {HEAD: "failed"}}, "approved", "TestsPassed", "The tests of aaaaaaa passed."),
    ("signed-artifacts: {identities: 'key:*'}", artifact(GOOD), "approved", "ArtifactsSigned", "Signed: booking."),
    ("signed-artifacts: {identities: ['key:other']}", artifact(GOOD), "rejected", "SignerNotAllowed",
     "booking is signed by key:release. Build it again, signed."),
    ("commit-signatures", NONE, "delayed", "SignaturesUnknown", "Waits for the forge to say which commits are signed."),
    ("commit-signatures", commits({"signed": True}, {"signed": None}), "delayed", "SignaturesUnknown",
     "Waits for the forge to say which commits are signed."),
    ("commit-signatures", commits({"signed": True}), "approved", "CommitsSigned", "All 1 commits are signed."),
    ("commit-signatures", commits({"signed": True}, {"signed": False}), "rejected", "CommitUnsigned",
     "aaaaaaa is not signed: sign the commits anew and push them."),
    ("commit-signatures: {signers: '*@acme.org'}", commits({"signed": True, "signer": "eve@example.org"}), "rejected",
     "SignerNotAllowed", "aaaaaaa is signed by eve@example.org: sign the commits anew and push them."),
    ("commit-message", NONE, "delayed", "MessageUnknown", "Waits for the forge to say what is written about the change."),
    ("commit-message", {"title": "feat(api)!: add bookings"}, "approved", "MessageFits", "What is written fits."),
    ("commit-message", {"title": "Add bookings"}, "rejected", "MessageUnfit",
     "'Add bookings' does not say its type, like `feat: add bookings`: change the title."),
    ("commit-message: {types: [fix]}", {"title": "feat: add"}, "rejected", "MessageUnfit", "'feat: add' is of the type feat, not fix: change the title."),
    ("commit-message: {of: commits, trailers: Trace-Id}", commits({"message": "feat: a\n\nTrace-Id: t"}), "approved",
     "MessageFits", "What is written fits."),
    ("commit-message: {of: commits, trailers: Trace-Id}", commits({"message": "feat: a"}), "rejected", "MessageUnfit",
     "'feat: a' lacks the trailer Trace-Id: reword the commit and push it."),
    ("commit-message: {longest: 10}", {"title": "feat: " + "a" * 10}, "rejected", "MessageUnfit",
     "'feat: aaaaaaaaaa' has 16 characters, 10 are the most: change the title."),
    ("target-branch: [main, release/*]", {"base_branch": "release/1"}, "approved", "TargetAllowed", "Goes into release/1."),
    ("target-branch: main", {"base_branch": "topic"}, "rejected", "TargetNotAllowed",
     "Goes into topic, needs main: open the change against another branch."),
    ("secrets-available: [A]", DEPLOYED, "delayed", "SecretsUnknown", "Waits for the environment to say which secrets can be had."),
    ("secrets-available: [A]", DEPLOYED | {"secrets": {"B": True}}, "delayed", "SecretsUnknown", "Waits for the environment to say which secrets can be had."),
    ("secrets-available", DEPLOYED | {"secrets": {"A": True, "B": False}}, "rejected", "SecretsMissing",
     "B can not be had in production: put it into the vault there."),
    ("secrets-available: [A]", DEPLOYED | {"secrets": {"A": True, "B": False}}, "approved", "SecretsAvailable", "Every secret can be had."),
    ("namespace-authorised", DEPLOYED, "delayed", "NamespaceUnknown", "Waits for production to be provisioned: nobody knows its namespace yet."),
    ("namespace-authorised", DEPLOYED | {"namespace": "default-production"}, "approved", "NamespaceAuthorised", "Goes into default-production."),
    ("namespace-authorised", DEPLOYED | {"namespace": "other-production"}, "rejected", "InvalidNamespaceAccess",
     "Would go into other-production, which is not default-production: provision it anew."),
    ("namespace-authorised: {allow: shared-*}", DEPLOYED | {"namespace": "shared-x"}, "approved", "NamespaceAuthorised", "Goes into shared-x."),
    ("change-size: {lines: 10}", NONE, "delayed", "SizeUnknown", "Waits for the forge to say how large the change is."),
    ("change-size: {lines: 10}", {"additions": 4, "deletions": 6}, "approved", "SizeFits", "Has 10 lines."),
    ("change-size: {lines: 10, files: 1, labels: big}", {"additions": 4, "deletions": 7, "paths": ("a",)}, "rejected", "ChangeTooLarge",
     "Has 11 lines, 1 files, needs 10 lines at most and 1 files at most: split it, or label it big."),
    ("change-size: {files: 1, labels: big}", {"paths": ("a", "b"), "labels": ("big",)}, "approved", "SizeExcepted", "Has 2 files, and the label big."),
    ("work-item-linked", NONE, "delayed", "WorkItemUnknown", "Waits for the forge to say what the change belongs to."),
    ("work-item-linked", {"title": "feat: bookings (ABC-12)"}, "approved", "WorkItemLinked", "Belongs to ABC-12."),
    ("work-item-linked", commits({"message": "fix: UTF-8\n\nCloses #7"}), "approved", "WorkItemLinked", "Belongs to #7."),
    ("work-item-linked", commits({"message": "fix: UTF-8 & SHA-256"}), "delayed", "WorkItemMissing",
     "Names no work item: put it into the title, like `feat: add bookings (ABC-123)`."),
    ("work-item-linked: [XYZ]", {"title": "feat: a (ABC-12)", "work_items": ()}, "delayed", "WorkItemMissing",
     "Names no ticket of XYZ: put it into the title, like `feat: add bookings (ABC-123)`."),
    ("work-item-linked: [xyz]", {"work_items": ("XYZ-1",)}, "approved", "WorkItemLinked", "Belongs to XYZ-1."),
    ("up-to-date", NONE, "delayed", "BehindUnknown", "Waits for the forge to say how far the branch is behind main."),
    ("up-to-date", {"behind": 0}, "approved", "UpToDate", "Has what main has."),
    ("up-to-date", {"behind": 2}, "delayed", "BranchBehind", "The branch is 2 commits behind main: bring it up to date."),
    ("up-to-date: 5", {"behind": 2}, "approved", "UpToDate", "Has what main has."),
    ("up-to-date", DEPLOYED, "approved", "Merged", "Is merged."),
    ("environment-lock", DEPLOYED, "delayed", "LockUnknown", "Waits to hear whether somebody has locked production."),
    ("environment-lock", DEPLOYED | {"locks": {}}, "approved", "NotLocked", "Nobody has locked it."),
    ("environment-lock", DEPLOYED | {"locks": {"production": Lock(by="ann", reason="audit")}}, "delayed", "EnvironmentLocked",
     "Locked by ann: audit. `/unlock production` opens it."),
    ("manual", DEPLOYED, "delayed", "ManualStart", "Nobody may start it: give a role the permission `deploy`, then say `/deploy production`."),
    ("manual", DEPLOYED | {"starts": (Start(environment="production", revision=HEAD, by="dan", at=NOON),)}, "approved",
     "StartedByPerson", "Started by dan."),
    ("manual", DEPLOYED | {"starts": (Start(environment="staging", revision=HEAD, by="dan", at=NOON),)}, "delayed", "ManualStart",
     "Nobody may start it: give a role the permission `deploy`, then say `/deploy production`."),
    ("coverage: {no-drop: true}", NONE, "delayed", "CoverageBaseUnknown", "Waits to hear the coverage of main, to compare."),
    ("coverage: {no-drop: true}", {"base_coverage": 86.0}, "rejected", "CoverageDropped", "Coverage falls from 86 % to 85 %: test what is new."),
    ("coverage: {no-drop: true, tolerance: 1}", {"base_coverage": 86.0}, "approved", "CoverageMet", "Coverage is 85 %."),
]  # fmt: skip


def child(gate: str, known: ReleaseFacts, more: str = "") -> Verdict:
    name = gate.partition(":")[0]
    verdict = policies.evaluate(of_gates(gate, more=more), known, NOON)
    return next(child for child in verdict.children if child.name == name)


@pytest.mark.parametrize(("gate", "said", "state", "code", "message"), TABLE)
def test_what_a_gate_says(gate: str, said: dict[str, Any], state: str, code: str, message: str) -> None:
    verdict = child(gate, facts(**said))
    assert (verdict.state, verdict.reason_code, verdict.message) == (state, code, message)


def test_every_gate_is_in_a_table() -> None:
    elsewhere = {"approvals", "freeze", "hold", "minimum-delay", "promoted-from", "required-labels"}
    assert {row[0].partition(":")[0] for row in TABLE} == GATES.keys() - elsewhere


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[3]}")
def test_a_delayed_gate_names_who_or_when_or_what_it_waits_for(
    row: tuple[str, dict[str, Any], str, str, str],
) -> None:
    verdict = child(row[0], facts(**row[1]))
    if verdict.state == "delayed":
        assert (
            verdict.who_can
            or verdict.next_change_at
            or verdict.message.startswith(("Waits", "The stage", "Nobody may"))
        )


UNKNOWN = ReleaseFacts(
    environment="production", revision=HEAD, phase="deployment", module="booking", version="1.2.0"
)


def nothing_known_approves_nothing(gates: list[str]) -> None:
    for gate in gates:
        assert child(gate, UNKNOWN).state in {"delayed", "rejected"}, gate


# `target-branch` looks at what every change has, `rollback-plan` at the policy alone; `hold` and `up-to-date` hold by themselves when nobody says otherwise.
ALWAYS_KNOWN = {"target-branch", "rollback-plan", "up-to-date"}
ASKING = sorted({row[0] for row in TABLE if row[0].partition(":")[0] not in ALWAYS_KNOWN})


def test_what_nobody_has_said_is_never_approved() -> None:
    nothing_known_approves_nothing(ASKING)


def test_a_gate_that_takes_silence_for_consent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        GATES["sbom-present"], "check", lambda *_: Verdict("sbom-present", "approved", "X", "x")
    )
    with pytest.raises(AssertionError):
        nothing_known_approves_nothing(ASKING)


@pytest.mark.parametrize(
    "gate", [row[0] for row in TABLE if row[2] == "approved" and row[1].keys() & {"stages", "findings", "components", "artifacts"}]
)  # fmt: skip
def test_what_is_known_of_another_revision_approves_nothing(gate: str) -> None:
    row = next(row for row in TABLE if row[0] == gate and row[2] == "approved")
    other = {name: {MERGED: next(iter(value.values()))} for name, value in row[1].items()}
    assert not child(gate, facts(**other)).approved
    assert child(gate, facts(**other, carried={HEAD: MERGED})).approved, "equal files"


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("change-size: {}", "say how many `lines` or `files` a change may have"),
        ("coverage: {}", "say `minimum` or `no-drop: true`"),
        ("licences: {}", "name the licences either under `deny` or under `allow`"),
        ("licences: {deny: MIT, allow: MIT}", "name the licences either under `deny` or under `allow`"),
        ("vulnerabilities: {block: hihg}", "'hihg' is not one of: low, medium, high, critical"),
        ("soak: soon", "'soon' is not a duration: write it like 10m, 36h or 1d12h"),
    ],
)
def test_what_means_nothing_is_refused(gate: str, said: str) -> None:
    with pytest.raises(PolicyErrors) as caught:
        of_gates(gate)
    assert said in str(caught.value)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_upsets_what_reads_it(message: str, title: str) -> None:
    known = facts(title=title, source_branch=title, commits=(Commit(sha=HEAD, message=message),))
    for gate in (
        "commit-message",
        "commit-message: {of: commits, trailers: Trace-Id}",
        "work-item-linked",
        "work-item-linked: [ABC]",
    ):
        assert child(gate, known).state in {"approved", "delayed", "rejected"}
