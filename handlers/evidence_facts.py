"""What reports say of a trace's revisions, as gates read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from bot.attestations import envelope
from bot.domain import payloads as p
from bot.domain.trace import TraceState
from policies.facts import Artifact, Component, Finding, Signature, TestState
from policies.trust import Trust

Said = TypeVar("Said")
Evidence = tuple[p.EvidenceAdded, ...]


def evidence_facts(state: TraceState, trust: Trust) -> dict[str, Any]:
    """Fields of ReleaseFacts. `trust` is the policy's: whose signatures count."""
    base = state.base_coverage
    target = (state.change or {}).get("target")
    return {
        "coverage": _coverages(state),
        "test_reports": _of(state, _tests),
        "unread": {
            revision: tuple(f"{path} ({why})" for path, why in refused.items())
            for revision, refused in state.evidence_refused.items()
            if refused
        },
        "findings": _of(state, _findings),
        "components": _of(state, _components),
        "artifacts": _of(state, lambda evidence: _artifacts(evidence, trust)),
    } | ({"base_coverage": base.coverage} if base and base.branch == target else {})


def _of(state: TraceState, read: Callable[[Evidence], Said | None]) -> dict[str, Said]:
    """Revision -> what is known; a revision of which nothing is known is left out."""
    said = {revision: read(evidence) for revision, evidence in state.evidence.items()}
    return {revision: known for revision, known in said.items() if known is not None}


def coverage_of(state: TraceState, revision: str) -> float | None:
    """Covered lines of a revision, or of the one with equal files that was measured, in per cent."""
    known, seen = _coverages(state), set[str]()
    while revision and revision not in seen:
        if revision in known:
            return known[revision]
        seen.add(revision)
        revision = state.carried.get(revision, "")
    return None


def _coverages(state: TraceState) -> dict[str, float]:
    """What the pipeline itself measured goes before reports: it measured the whole."""
    ran = {sha: run["coverage"] for sha, run in state.runs.items() if run.get("coverage") is not None}
    return _of(state, _covered) | ran


def _covered(evidence: Evidence) -> float | None:
    reports = [one.coverage for one in evidence if one.coverage]
    valid = sum(report.valid for report in reports)
    return round(100 * sum(report.covered for report in reports) / valid, 2) if valid else None


def _tests(evidence: Evidence) -> TestState | None:
    """Passed: nothing failed, and something ran."""
    reports = [one.tests for one in evidence if one.tests]
    if any(report.failed for report in reports):
        return "failed"
    return "passed" if any(report.total > report.skipped for report in reports) else None


def _findings(evidence: Evidence) -> tuple[Finding, ...] | None:
    scans = [one.scan for one in evidence if one.scan]
    return tuple(finding for scan in scans for finding in _found(scan)) if scans else None


def _found(scan: p.ScanReport) -> Iterator[Finding]:
    for kind in scan.findings:
        yield Finding(id=kind.id, severity=kind.severity, component=kind.component, count=kind.count)
    for severity, count in scan.more.items():
        yield Finding(id="", severity=severity, count=count)


def _components(evidence: Evidence) -> tuple[Component, ...] | None:
    lists = [one.parts for one in evidence if one.parts]
    kinds = (kind for parts in lists for kind in parts.licences)
    return tuple(map(_component, kinds)) if lists else None


def _component(kind: p.LicenceKind) -> Component:
    name, _, version = (kind.names[0] if kind.names else "").partition("@")
    return Component(name=name, version=version, licences=kind.licences, count=kind.count)


def _artifacts(evidence: Evidence, trust: Trust) -> tuple[Artifact, ...] | None:
    """Each thing that somebody signed for, with all its signatures."""
    found: dict[tuple[str, str], list[Signature]] = {}
    for said in (one.attestation for one in evidence if one.attestation):
        signatures = list(_signatures(said, trust))
        for subject in said.subjects:
            found.setdefault((subject.digest, subject.name), []).extend(signatures)
    return tuple(
        Artifact(name=name, digest=digest, signatures=tuple(signatures))
        for (digest, name), signatures in found.items()
    ) or None  # fmt: skip


def _signatures(said: p.AttestationReport, trust: Trust) -> Iterator[Signature]:
    """A signature that holds for nobody whom the policy trusts is told as one that does not hold."""
    named = said.names_revision
    if said.envelope is not None:
        holding = [name for name, pem in trust.keys.items() if envelope.signed_by(said.envelope, pem)]
        yield from (Signature(identity=name, verified=True, names_revision=named) for name in holding)
        if not holding:
            yield Signature(verified=False, names_revision=named)
        return
    for signer in said.signers:
        verified = any(
            one.issuer == signer.issuer and fnmatchcase(signer.identity, one.subject)
            for one in trust.identities
        )
        yield Signature(identity=signer.identity, verified=verified, names_revision=named)
    if not said.signers:
        yield Signature(verified=False, names_revision=named)
