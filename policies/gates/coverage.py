"""`coverage: {minimum: 80, no-drop: true}`: enough of the lines are tested, and no fewer than before."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, StrictBool, model_validator

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import wrong
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

Percent = Annotated[float, Field(ge=0, le=100, strict=True)]


class Coverage(GateModel):
    """A revision with the same files as a measured one has the same coverage.

    `no-drop` compares with the base branch; `tolerance` are points that may be lost.
    """

    name: ClassVar[str] = "coverage"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset(
        {
            "TestsPassed",
            "TestsFailed",
            "PipelineFinished",
            "pointsman.EvidenceAdded",
            "pointsman.CoverageRecalled",
        }
    )

    minimum: Percent | None = None
    no_drop: StrictBool = False
    tolerance: Percent = 0.0

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.minimum is None and not self.no_drop:
            raise wrong("say `minimum` or `no-drop: true`")
        return self

    def evidence(self) -> frozenset[str]:
        return frozenset({"cobertura"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        least = [f"{self.minimum:g} %"] if self.minimum is not None else []
        need = " and ".join([*least, *(["no drop"] if self.no_drop else [])])
        known = facts.about(facts.coverage)
        if known is None:
            message = "Waits for the pipeline to report its coverage."
            return Verdict(self.name, "delayed", "CoverageMissing", message, have="nothing yet", need=need)
        have = f"{known:g} %"
        if self.minimum is not None and known < self.minimum:
            message = f"Coverage is {have}, needs {self.minimum:g} %: add tests."
            return Verdict(self.name, "rejected", "CoverageTooLow", message, have, need)
        if self.no_drop and facts.base_coverage is None:
            message = f"Waits to hear the coverage of {facts.base_branch}, to compare."
            return Verdict(self.name, "delayed", "CoverageBaseUnknown", message, have, need)
        if self.no_drop and facts.base_coverage is not None and known < facts.base_coverage - self.tolerance:
            message = f"Coverage falls from {facts.base_coverage:g} % to {have}: test what is new."
            return Verdict(self.name, "rejected", "CoverageDropped", message, have, need)
        return Verdict(self.name, "approved", "CoverageMet", f"Coverage is {have}.", have, need)
