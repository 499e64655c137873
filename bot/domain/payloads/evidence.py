"""What a report says of a revision: tests, coverage, findings, parts, signatures. Bounded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.model import Model, OpenModel
from bot.domain.payloads.delivery import SHA

Kind = Literal["junit", "cobertura", "sarif", "cyclonedx", "dsse", "sigstore"]
Severity = Literal["low", "medium", "high", "critical"]
KINDS: tuple[Kind, ...] = ("junit", "cobertura", "sarif", "cyclonedx", "dsse", "sigstore")
NAMED = 50
"""So many findings, failing tests or kinds of licence are named; what is more is counted."""
PER_REVISION = 50
"""So many reports of one revision are kept. Nothing is let go to make room: the door refuses more."""


class TestReport(Model):
    """JUnit. `failed` counts failures and errors; `failing` names the first of them."""

    total: int = Field(ge=1)
    failed: int = Field(ge=0)
    skipped: int = Field(ge=0)
    failing: tuple[str, ...] = ()


class CoverageReport(Model):
    """Cobertura, in lines."""

    covered: int = Field(ge=0)
    valid: int = Field(ge=1)


class FindingKind(Model):
    """All findings of one rule or CVE at one severity; `component` is where the first of them lies."""

    id: str
    severity: Severity
    component: str = ""
    count: int = Field(default=1, ge=1)


class ScanReport(Model):
    """SARIF. `findings` are the worst; `more` counts, by severity, those that are not among them."""

    tool: str
    total: int = Field(ge=0)
    findings: tuple[FindingKind, ...] = ()
    more: dict[Severity, int] = Field(default_factory=dict)


class LicenceKind(Model):
    """All parts under the same licences. Each of `licences` is enough; in one, ` AND ` joins what must all
    hold; none: nobody knows. `names` are the first parts, `name@version`.
    """

    licences: tuple[str, ...] = ()
    count: int = Field(ge=1)
    names: tuple[str, ...] = ()


class PartsReport(Model):
    """CycloneDX."""

    total: int = Field(ge=0)
    spec_version: str
    licences: tuple[LicenceKind, ...] = ()


class Subject(Model):
    """What was built. `digest` is `sha256:...`."""

    name: str
    digest: str


class Signer(Model):
    """Whose certificate made a signature that holds: the identity and who vouched for it."""

    identity: str
    issuer: str


class AttestationReport(Model):
    """A signed word about what was built.

    `names_revision`: the signed text (or the certificate) says that it is of this revision. An `envelope`
    (DSSE) is kept whole, so that it can be held against the keys of whichever policy is in force; a keyless
    signature is verified once, and `signers` tells whose it is. `refused` says why one does not hold.
    """

    predicate_type: str = ""
    subjects: tuple[Subject, ...]
    names_revision: bool
    envelope: dict[str, Any] | None = None
    signers: tuple[Signer, ...] = ()
    refused: str = ""


class EvidenceAdded(OpenModel):
    """`pointsman.EvidenceAdded`: a report about one revision, in short. `digest` is of the whole file.

    A later report of the same `kind`, `source` and `name` takes the place of an earlier one.
    """

    kind: Kind
    repository: str
    revision: str = Field(pattern=SHA)
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)
    name: str
    path: str = ""
    source: Literal["upload", "pipeline"]
    run: str = ""
    tests: TestReport | None = None
    coverage: CoverageReport | None = None
    scan: ScanReport | None = None
    parts: PartsReport | None = None
    attestation: AttestationReport | None = None


class EvidenceRefused(OpenModel):
    """`pointsman.EvidenceRefused`: reports of a run that could not be read. Path -> why."""

    repository: str
    revision: str
    run: str
    refused: dict[str, str]


class CoverageRecalled(OpenModel):
    """`pointsman.CoverageRecalled`: covered lines of the change that was merged last, in per cent; None: the
    log knows of none. `head` is the target's head when the log was asked.
    """

    branch: str
    head: str = ""
    coverage: float | None = None
    revision: str = ""


class ReleaseAttested(OpenModel):
    """`pointsman.ReleaseAttested`: the signed summary of what allowed a release. `envelope` is DSSE; its
    payload an in-toto statement whose predicate is a SLSA verification summary.
    """

    environment: str
    release_id: str
    revision: str
    key_id: str
    envelope: dict[str, Any]
