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
    reads: ClassVar[frozenset[str]] = frozenset({"pointsman.EvidenceAdded"})

    block: Literal["low", "medium", "high", "critical"] = "high"
    allow: Annotated[Words, ONE_OR_MORE] = ()

    def evidence(self) -> frozenset[str]:
        return frozenset({"sarif"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need, known = f"nothing {self.block} or worse", facts.about(facts.findings)
        if known is None:
            message = f"Waits for a scan of this revision.{facts.unreadable}"
            return Verdict(self.name, "delayed", "ScanMissing", message, "nothing yet", need)
        accepted = {name.casefold() for name in self.allow}
        worst = SEVERITIES.index(self.block)
        found = [
            finding
            for finding in known
            if SEVERITIES.index(finding.severity) >= worst and finding.id.casefold() not in accepted
        ]
        total, counting = (sum(finding.count for finding in some) for some in (known, found))
        have = f"{total} findings, {counting} of them count"
        if not found:
            return Verdict(self.name, "approved", "NothingFound", f"The scan found {need}.", have, need)
        found.sort(key=lambda finding: (-SEVERITIES.index(finding.severity), not finding.id))
        shown = [finding for finding in found if finding.id][:NAMED]
        rest = counting - sum(finding.count for finding in shown)
        named = ", ".join(map(_said, shown)) or f"{rest} that are {self.block} or worse"
        more = f" and {rest} more" if rest and shown else ""
        message = f"Found {named}{more}: update what is hit, or accept it under `allow` of the policy."
        return Verdict(self.name, "rejected", "VulnerabilitiesFound", message, have, need)


def _said(finding: Finding) -> str:
    where = f" in {finding.component}" if finding.component else ""
    times = f", {finding.count} times" if finding.count > 1 else ""
    return f"{finding.id} ({finding.severity}{where}{times})"
