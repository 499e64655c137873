"""`signed-artifacts`: everything that was built from this revision carries a signature that was verified."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import Artifact, ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class SignedArtifacts(GateModel):
    """`identities` are whose signature counts: names of configured keys, or certificate identities, `*` for
    any text; none: every signature that was verified.
    """

    name: ClassVar[str] = "signed-artifacts"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"PipelineFinished"})

    identities: Annotated[Lines, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"signed by {' or '.join(self.identities)}" if self.identities else "signed"
        artifacts = facts.about(facts.artifacts)
        if not artifacts:
            message = "Waits for the pipeline to say what it built, and who signed it."
            return Verdict(self.name, "delayed", "ArtifactsUnknown", message, "nothing yet", need)
        wrong = [found for artifact in artifacts if (found := self._wrong(artifact))]
        if not wrong:
            have = ", ".join(artifact.name for artifact in artifacts)
            return Verdict(self.name, "approved", "ArtifactsSigned", f"Signed: {have}.", have, need)
        code, message = wrong[0]
        more = f" {len(wrong) - 1} more like it." if len(wrong) > 1 else ""
        said = f"{message}{more} Build it again, signed."
        return Verdict(self.name, "rejected", code, said, f"{len(wrong)} of {len(artifacts)} not", need)

    def _wrong(self, artifact: Artifact) -> tuple[str, str] | None:
        verified = [signature for signature in artifact.signatures if signature.verified]
        if not artifact.signatures:
            return "ImageUnsigned", f"{artifact.name} is not signed."
        if not verified:
            return "SignatureInvalid", f"The signature of {artifact.name} does not hold."
        if self.identities and not any(self._counts(signature.identity) for signature in verified):
            return "SignerNotAllowed", f"{artifact.name} is signed by {verified[0].identity}."
        return None

    def _counts(self, identity: str) -> bool:
        return any(fnmatchcase(identity, pattern) for pattern in self.identities)
