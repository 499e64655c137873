"""`pipeline-stages-present: [build, test, scan]`: the pipeline of this revision had them, and they passed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Words
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class PipelineStagesPresent(GateModel):
    """A skipped stage is not one that passed; another revision's stages are nobody's."""

    name: ClassVar[str] = "pipeline-stages-present"
    short: ClassVar[str] = "stages"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"PipelineFinished", "TestsPassed", "TestsFailed"})

    stages: Annotated[Words, Field(min_length=1), ONE_OR_MORE]

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need, known = ", ".join(self.stages), facts.about(facts.stages)
        if known is None:
            message = "Waits for the pipeline to end: nothing is known of its stages yet."
            return Verdict(self.name, "delayed", "StagesUnknown", message, "nothing yet", need)
        found = {stage.name.casefold(): stage.status for stage in known}
        have = ", ".join(f"{stage.name} {stage.status}" for stage in known)
        missing = [name for name in self.stages if name.casefold() not in found]
        if missing:
            message = f"The pipeline has no stage {' and no stage '.join(missing)}: put it into the pipeline."
            return Verdict(self.name, "rejected", "StageMissing", message, have, need)
        open_ones = {
            name: found[name.casefold()] for name in self.stages if found[name.casefold()] != "passed"
        }
        ended = {name: status for name, status in open_ones.items() if status != "running"}
        if open_ones:
            name, status = next(iter((ended or open_ones).items()))
            message = f"The stage {name} is {status}, and must have passed."
            return Verdict(
                self.name, "rejected" if ended else "delayed", "StageNotPassed", message, have, need
            )
        return Verdict(self.name, "approved", "StagesPassed", f"Passed: {need}.", have, need)
