"""`signed-artifacts`: everything that was built from this revision carries a signature that holds.

Whose signatures hold is said at the top of the policy, under `trust`.
"""

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
    """`identities` narrows whose signature counts: names of keys, or certificate identities, `*` for any
    text. What is signed must name the revision, as SLSA provenance does.
    """

    name: ClassVar[str] = "signed-artifacts"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"pointsman.EvidenceAdded"})

    identities: Annotated[Lines, ONE_OR_MORE] = ()

    def evidence(self) -> frozenset[str]:
        return frozenset({"dsse", "sigstore"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"signed by {' or '.join(self.identities)}" if self.identities else "signed"
        artifacts = facts.about(facts.artifacts)
        if not artifacts:
            message = f"Waits for the pipeline to say what it built, and who signed it.{facts.unreadable}"
            return Verdict(self.name, "delayed", "ArtifactsUnknown", message, "nothing yet", need)
        wrong = [found for artifact in artifacts if (found := self._wrong(artifact, policy))]
        if not wrong:
            have = ", ".join(artifact.name for artifact in artifacts)
            return Verdict(self.name, "approved", "ArtifactsSigned", f"Signed: {have}.", have, need)
        code, message, remedy = wrong[0]
        more = f" {len(wrong) - 1} more like it." if len(wrong) > 1 else ""
        have = f"{len(wrong)} of {len(artifacts)} not"
        return Verdict(self.name, "rejected", code, f"{message}{more} {remedy}", have, need)

    def _wrong(self, artifact: Artifact, policy: Policy) -> tuple[str, str, str] | None:
        """Code, sentence, remedy."""
        name, again = artifact.name, "Build it again, signed."
        verified = [signature for signature in artifact.signatures if signature.verified]
        if not artifact.signatures:
            return "ImageUnsigned", f"{name} is not signed.", again
        if not verified and policy.trust.nobody:
            message = f"{name} is signed, but the policy trusts nobody's signature."
            return "NobodyTrusted", message, "Name keys or identities under `trust`."
        if not verified:
            return "SignatureInvalid", f"No signature of {name} holds for whom the policy trusts.", again
        if not any(signature.names_revision for signature in verified):
            message = f"What is signed of {name} does not say of which revision it was built."
            return "SignatureUnbound", message, "Sign SLSA provenance of it."
        if not any(self._counts(one.identity) for one in verified if one.names_revision):
            return "SignerNotAllowed", f"{name} is signed by {verified[0].identity}.", again
        return None

    def _counts(self, identity: str) -> bool:
        return not self.identities or any(fnmatchcase(identity, pattern) for pattern in self.identities)
