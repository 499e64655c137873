"""`required-labels: [qa-ok]`: the change carries all of these labels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class RequiredLabels(GateModel):
    """`required-labels: [a]` is short for `required-labels: {labels: [a]}`."""

    name: ClassVar[str] = "required-labels"
    short: ClassVar[str] = "labels"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"ChangeLabelled"})

    labels: Annotated[Lines, Field(min_length=1), ONE_OR_MORE]

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        missing = [label for label in self.labels if label not in facts.labels]
        have, need = ", ".join(sorted(facts.labels)), ", ".join(self.labels)
        if not missing:
            return Verdict(self.name, "approved", "LabelsPresent", f"Labelled {need}.", have, need)
        message = f"Label the change {', '.join(missing)}."
        return Verdict(
            self.name, "delayed", "LabelMissing", message, have, need, ("anyone who may label the change",)
        )
