"""`sbom-present`: somebody wrote down what this revision is made of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class SbomPresent(GateModel):
    """An empty list is none."""

    name: ClassVar[str] = "sbom-present"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"pointsman.EvidenceAdded"})

    def evidence(self) -> frozenset[str]:
        return frozenset({"cyclonedx"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        parts = facts.about(facts.components)
        if not parts:
            message = f"Waits for the list of parts (SBOM) of this revision.{facts.unreadable}"
            return Verdict(self.name, "delayed", "SbomMissing", message, "nothing yet", "an SBOM")
        have = f"{sum(part.count for part in parts)} parts"
        return Verdict(self.name, "approved", "SbomPresent", f"An SBOM lists {have}.", have, "an SBOM")
