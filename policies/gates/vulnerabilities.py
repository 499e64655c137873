"""`vulnerabilities: {block: high}`: no scan of this revision found anything as bad as that, or worse."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from policies.facts import SEVERITIES, Finding, ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

NAMED = 3
"""So many findings are named; more are counted."""


class Vulnerabilities(GateModel):
    """`allow` names findings that were looked at and accepted, like `CVE-2026-1234`."""

    name: ClassVar[str] = "vulnerabilities"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"PipelineFinished"})

    block: Literal["low", "medium", "high", "critical"] = "high"
    allow: Annotated[Words, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need, known = f"nothing {self.block} or worse", facts.about(facts.findings)
        if known is None:
            message = "Waits for a scan of this revision."
            return Verdict(self.name, "delayed", "ScanMissing", message, "nothing yet", need)
        accepted = {name.casefold() for name in self.allow}
        worst = SEVERITIES.index(self.block)
        found = [
            finding
            for finding in known
            if SEVERITIES.index(finding.severity) >= worst and finding.id.casefold() not in accepted
        ]
        have = f"{len(known)} findings, {len(found)} of them count"
        if not found:
            return Verdict(self.name, "approved", "NothingFound", f"The scan found {need}.", have, need)
        found.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
        named = ", ".join(map(_said, found[:NAMED]))
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        message = f"Found {named}{more}: update what is hit, or accept it under `allow` of the policy."
        return Verdict(self.name, "rejected", "VulnerabilitiesFound", message, have, need)


def _said(finding: Finding) -> str:
    where = f" in {finding.component}" if finding.component else ""
    return f"{finding.id} ({finding.severity}{where})"
