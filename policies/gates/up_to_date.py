"""`up-to-date`: the branch of the change has everything that its target has."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StrictInt

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class UpToDate(GateModel):
    """`behind` allows it to lack so many commits."""

    name: ClassVar[str] = "up-to-date"
    short: ClassVar[str] = "behind"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"TriggerRequested"})

    behind: Annotated[StrictInt, Field(ge=0)] = 0

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"at most {self.behind} commits behind" if self.behind else "not behind"
        if facts.phase == "deployment":
            return Verdict(self.name, "approved", "Merged", "Is merged.", "merged", need)
        if facts.behind is None:
            message = f"Waits for the forge to say how far the branch is behind {facts.base_branch}."
            return Verdict(self.name, "delayed", "BehindUnknown", message, "nothing yet", need)
        have = f"{facts.behind} commits behind"
        if facts.behind <= self.behind:
            message = f"Has what {facts.base_branch} has."
            return Verdict(self.name, "approved", "UpToDate", message, have, need)
        message = f"The branch is {have} {facts.base_branch}: bring it up to date."
        able = ("who may push to the branch",)
        return Verdict(self.name, "delayed", "BranchBehind", message, have, need, able)
