"""`hold`: nobody releases a change while it carries the label `hold`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Hold(GateModel):
    """`hold: {labels: [hold, do-not-merge]}` names other labels."""

    name: ClassVar[str] = "hold"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"ChangeLabelled"})

    labels: Annotated[Lines, ONE_OR_MORE] = ("hold",)

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        held = ", ".join(label for label in self.labels if label in facts.labels)
        need = f"no label {' or '.join(self.labels)}"
        if not held:
            return Verdict(self.name, "approved", "NotHeld", "Nobody holds the change.", need=need)
        message = f"On hold: remove the label {held} to go on."
        return Verdict(
            self.name, "delayed", "OnHold", message, held, need, ("anyone who may label the change",)
        )
