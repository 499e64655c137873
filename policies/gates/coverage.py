"""`coverage: {minimum: 80}`: at least so many per cent of the lines are covered by tests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BaseModel, Field

from policies.facts import ReleaseFacts
from policies.gate import Phase, Section
from policies.schema import CLOSED
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Coverage(BaseModel):
    """A revision with the same files as a measured one has the same coverage."""

    model_config = CLOSED

    name: ClassVar[str] = "coverage"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"TestsPassed", "TestsFailed", "PipelineFinished"})

    minimum: Annotated[float, Field(ge=0, le=100, strict=True)]

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        need = f"{self.minimum:g} %"
        known = [
            facts.coverage[revision]
            for revision in (facts.revision, *sorted(facts.same_tree))
            if revision in facts.coverage
        ]
        if not known:
            message = "Waits for the pipeline to report its coverage."
            return Verdict(self.name, "delayed", "CoverageMissing", message, have="nothing yet", need=need)
        have = f"{known[0]:g} %"
        if known[0] < self.minimum:
            message = f"Coverage is {have}, needs {need}: add tests."
            return Verdict(self.name, "rejected", "CoverageTooLow", message, have, need)
        return Verdict(self.name, "approved", "CoverageMet", f"Coverage is {have}.", have, need)
