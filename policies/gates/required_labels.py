"""`required-labels: [qa-ok]`: the change carries all of these labels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from policies.facts import ReleaseFacts
from policies.gate import Phase, Section
from policies.schema import CLOSED, Line
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class RequiredLabels(BaseModel):
    """`required-labels: [a]` is short for `required-labels: {labels: [a]}`."""

    model_config = CLOSED

    name: ClassVar[str] = "required-labels"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"ChangeLabelled"})

    labels: Annotated[tuple[Line, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"labels": value} if isinstance(value, list) else value

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        missing = [label for label in self.labels if label not in facts.labels]
        have, need = ", ".join(sorted(facts.labels)), ", ".join(self.labels)
        if not missing:
            return Verdict(self.name, "approved", "LabelsPresent", f"Labelled {need}.", have, need)
        message = f"Label the change {', '.join(missing)}."
        return Verdict(
            self.name, "delayed", "LabelMissing", message, have, need, ("anyone who may label the change",)
        )
