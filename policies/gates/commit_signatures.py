"""`commit-signatures`: every commit of the change is signed, and the forge could verify it."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class CommitSignatures(GateModel):
    """`signers` narrows whose signature counts, `*` for any text."""

    name: ClassVar[str] = "commit-signatures"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset()

    signers: Annotated[Lines, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"signed by {' or '.join(self.signers)}" if self.signers else "every commit signed"
        if facts.commits is None or any(commit.signed is None for commit in facts.commits):
            message = "Waits for the forge to say which commits are signed."
            return Verdict(self.name, "delayed", "SignaturesUnknown", message, "nothing yet", need)
        have = f"{len(facts.commits)} commits"
        wrong = [commit for commit in facts.commits if not commit.signed or not self._counts(commit.signer)]
        if not wrong:
            return Verdict(self.name, "approved", "CommitsSigned", f"All {have} are signed.", have, need)
        first = wrong[0]
        code = "SignerNotAllowed" if first.signed else "CommitUnsigned"
        why = f"is signed by {first.signer or 'somebody unknown'}" if first.signed else "is not signed"
        message = f"{first.sha[:7]} {why}: sign the commits anew and push them."
        return Verdict(self.name, "rejected", code, message, have, need)

    def _counts(self, signer: str) -> bool:
        return not self.signers or any(fnmatchcase(signer, pattern) for pattern in self.signers)
