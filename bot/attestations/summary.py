"""SLSA verification summaries: who verified what against which policy, and that it passed
(https://slsa.dev/spec/v1.0/verification_summary).

Of what the levels of SLSA's build track mean Pointsman verifies nothing, and says so: it verifies a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot import __version__
from bot.attestations.statement import TYPE
from bot.domain.payloads import Subject

PREDICATE = "https://slsa.dev/verification_summary/v1"
LEVELS = ("SLSA_BUILD_LEVEL_UNEVALUATED", "POINTSMAN_POLICY_APPROVED")
RELEASE = "pointsman_release"
"""The field of ours beside the specification's; readers pass over fields that they do not know."""
PURL_TYPES = frozenset({"github", "gitlab"})


@dataclass(frozen=True)
class Verified:
    """One release as it was approved. `time` is RFC 3339; `inputs` are digests of reports, `sha256:...`."""

    verifier: str
    time: str
    forge: str
    repository: str
    module: str
    version: str
    environment: str
    revision: str
    policy_path: str
    policy_revision: str
    policy_digest: str
    artifacts: Sequence[Subject] = ()
    inputs: Sequence[Subject] = ()
    approvers: Sequence[str] = ()
    verdict_digest: str = ""
    log_hash: str = ""


def verification_summary(verified: Verified) -> dict[str, Any]:
    """The statement. Its first subject is the commit; the others are what was built from it."""
    return {
        "_type": TYPE,
        "subject": [
            {"name": f"{verified.module}@{verified.version}", "digest": {"gitCommit": verified.revision}},
            *(_subject(one) for one in verified.artifacts),
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": verified.verifier, "version": {"pointsman": __version__}},
            "timeVerified": verified.time,
            "resourceUri": resource(verified.forge, verified.repository, verified.revision),
            "policy": _policy(verified),
            "inputAttestations": [_input(one) for one in verified.inputs],
            "verificationResult": "PASSED",
            "verifiedLevels": list(LEVELS),
            "slsaVersion": "1.0",
            RELEASE: {
                "environment": verified.environment,
                "approvers": list(verified.approvers),
                "verdict": verified.verdict_digest,
                "log": verified.log_hash,
            },
        },
    }


def _policy(verified: Verified) -> dict[str, Any]:
    read_at = resource(verified.forge, verified.repository, verified.policy_revision)
    return {"uri": f"{read_at}#{verified.policy_path}", "digest": {"sha256": verified.policy_digest}}


def resource(forge: str, repository: str, revision: str) -> str:
    """A package URL (https://github.com/package-url/purl-spec) of a repository at a revision."""
    kind = forge if forge in PURL_TYPES else "generic"
    at = f"@{revision}" if revision else ""
    return f"pkg:{kind}/{quote(repository)}{at}"


def _subject(subject: Subject) -> dict[str, Any]:
    return {"name": subject.name, "digest": _digest(subject.digest)}


def _input(report: Subject) -> dict[str, Any]:
    return {"uri": report.name, "digest": _digest(report.digest)}


def _digest(said: str) -> dict[str, str]:
    kind, _, value = said.partition(":")
    return {kind: value}
