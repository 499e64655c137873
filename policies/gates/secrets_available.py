"""`secrets-available: [DATABASE_URL]`: what the release needs to start can be had in its environment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class SecretsAvailable(GateModel):
    """Within tenant, environment and module, and only whether: no gate sees a value.

    Without names: all that are known to be needed.
    """

    name: ClassVar[str] = "secrets-available"
    short: ClassVar[str] = "names"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset({"InfraProvisioned"})

    names: Annotated[Lines, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = ", ".join(self.names) or "every secret it needs"
        if facts.secrets is None or not set(self.names) <= facts.secrets.keys():
            message = "Waits for the environment to say which secrets can be had."
            return Verdict(self.name, "delayed", "SecretsUnknown", message, "nothing yet", need)
        missing = [name for name in self.names or sorted(facts.secrets) if not facts.secrets[name]]
        have = f"{len(facts.secrets) - len(missing)} of {len(facts.secrets)}"
        if missing:
            named = ", ".join(missing)
            message = f"{named} can not be had in {facts.environment}: put it into the vault there."
            return Verdict(self.name, "rejected", "SecretsMissing", message, have, need)
        return Verdict(self.name, "approved", "SecretsAvailable", "Every secret can be had.", have, need)
