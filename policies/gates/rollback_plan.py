"""`rollback-plan`: there is a way back from the environment when the release fails there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class RollbackPlan(GateModel):
    """`deploy: {rollback: never}` is none; `automatic` and `manual` are."""

    name: ClassVar[str] = "rollback-plan"
    section: ClassVar[Section] = "security"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        have, need = policy.environments[facts.environment].deploy.rollback, "automatic or manual"
        if have == "never":
            message = f"There is no way back from {facts.environment}: let `deploy.rollback` be {need}."
            return Verdict(self.name, "rejected", "RollbackPlanMissing", message, have, need)
        message = f"The way back is {have}."
        return Verdict(self.name, "approved", "RollbackPlanned", message, have, need)
