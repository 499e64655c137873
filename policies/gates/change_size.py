"""`change-size: {lines: 500, files: 30}`: the change is small enough to be understood."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, StrictInt, model_validator

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines, wrong
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class ChangeSize(GateModel):
    """`lines` counts those added and those removed. `labels` let a change be larger."""

    name: ClassVar[str] = "change-size"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"ChangeLabelled"})

    lines: Annotated[StrictInt, Field(ge=1)] | None = None
    files: Annotated[StrictInt, Field(ge=1)] | None = None
    labels: Annotated[Lines, ONE_OR_MORE] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.lines is None and self.files is None:
            raise wrong("say how many `lines` or `files` a change may have")
        return self

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        asked = (("lines", self.lines, facts.lines), ("files", self.files, facts.touched))
        need = " and ".join(f"{most} {what} at most" for what, most, _ in asked if most is not None)
        if any(most is not None and have is None for _, most, have in asked):
            message = "Waits for the forge to say how large the change is."
            return Verdict(self.name, "delayed", "SizeUnknown", message, "nothing yet", need)
        have = ", ".join(f"{count} {what}" for what, most, count in asked if most is not None)
        if not any(most is not None and (count or 0) > most for _, most, count in asked):
            return Verdict(self.name, "approved", "SizeFits", f"Has {have}.", have, need)
        label = next((label for label in self.labels if label in facts.labels), None)
        if label:
            message = f"Has {have}, and the label {label}."
            return Verdict(self.name, "approved", "SizeExcepted", message, have, need)
        way = f", or label it {' or '.join(self.labels)}" if self.labels else ""
        message = f"Has {have}, needs {need}: split it{way}."
        return Verdict(self.name, "rejected", "ChangeTooLarge", message, have, need)
