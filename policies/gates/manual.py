"""`manual`: after the merge a person says when it starts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from policies import roles
from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Manual(GateModel):
    """`/deploy <environment>` by somebody who may deploy there, for exactly this revision."""

    name: ClassVar[str] = "manual"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset({"TriggerRequested"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = "a person's start"
        said = [
            start.by
            for start in facts.starts
            if start.environment == facts.environment and start.revision in facts.same_tree
        ]
        if said:
            message = f"Started by {said[-1]}."
            return Verdict(self.name, "approved", "StartedByPerson", message, f"started by {said[-1]}", need)
        able = roles.holders(policy, roles.Permission.DEPLOY, facts.environment)
        command = f"`/deploy {facts.environment}`"
        message = f"Waits for a person to start it: {command}." if able else NOBODY.format(command)
        return Verdict(self.name, "delayed", "ManualStart", message, "not started", need, able)


NOBODY = "Nobody may start it: give a role the permission `deploy`, then say {}."
