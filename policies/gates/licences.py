"""`licences: {deny: [GPL-3.0-only]}`: what the release is made of may be shipped."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words, wrong
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Licences(GateModel):
    """`deny` or `allow` names SPDX identifiers; of several licences of one part one that fits is enough.

    `unknown`: what becomes of a part whose licence nobody knows.
    """

    name: ClassVar[str] = "licences"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"pointsman.EvidenceAdded"})

    deny: Annotated[Words, ONE_OR_MORE] = ()
    allow: Annotated[Words, ONE_OR_MORE] = ()
    unknown: Literal["block", "allow"] = "block"

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.deny) == bool(self.allow):
            raise wrong("name the licences either under `deny` or under `allow`")
        return self

    def evidence(self) -> frozenset[str]:
        return frozenset({"cyclonedx"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"none of {', '.join(self.deny)}" if self.deny else f"only {', '.join(self.allow)}"
        parts = facts.about(facts.components)
        if parts is None:
            message = f"Waits for the list of parts (SBOM) of this revision.{facts.unreadable}"
            return Verdict(self.name, "delayed", "SbomMissing", message, "nothing yet", need)
        have = f"{sum(part.count for part in parts)} parts"
        unknown = [part.name for part in parts if not part.licences] if self.unknown == "block" else []
        wrong_ones = [part for part in parts if part.licences and not any(map(self._fits, part.licences))]
        if wrong_ones:
            named = ", ".join(f"{part.name} ({' or '.join(part.licences)})" for part in wrong_ones[:3])
            message = f"{named} may not be shipped: take another part."
            return Verdict(self.name, "rejected", "LicenceDenied", message, have, need)
        if unknown:
            message = f"Nobody knows the licence of {', '.join(unknown[:3])}: state it in the SBOM."
            return Verdict(self.name, "rejected", "LicenceUnknown", message, have, need)
        return Verdict(self.name, "approved", "LicencesFit", f"All {have} may be shipped.", have, need)

    def _fits(self, licence: str) -> bool:
        named = {name.casefold() for name in (self.deny or self.allow)}
        return all((part.casefold() in named) != bool(self.deny) for part in licence.split(" AND "))
