"""`namespace-authorised`: the release goes into the namespace of its own tenant and environment."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar

from bot.domain.release import namespace
from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class NamespaceAuthorised(GateModel):
    """`{tenantId}-{environment}`, or one of those that `allow` names, `*` for any text."""

    name: ClassVar[str] = "namespace-authorised"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset({"InfraProvisioned"})

    allow: Annotated[Lines, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        own = namespace(facts.tenant, facts.environment)
        need = " or ".join((own, *self.allow))
        if facts.namespace is None:
            message = f"Waits for {facts.environment} to be provisioned: nobody knows its namespace yet."
            return Verdict(self.name, "delayed", "NamespaceUnknown", message, "nothing yet", need)
        if facts.namespace == own or any(fnmatchcase(facts.namespace, pattern) for pattern in self.allow):
            message = f"Goes into {facts.namespace}."
            return Verdict(self.name, "approved", "NamespaceAuthorised", message, facts.namespace, need)
        message = f"Would go into {facts.namespace}, which is not {need}: provision it anew."
        return Verdict(self.name, "rejected", "InvalidNamespaceAccess", message, facts.namespace, need)
