"""`tests-passed`: the pipeline of this revision succeeded, or its test reports say so (`accept`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from policies.facts import ReleaseFacts, TestState
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE
from policies.verdict import State, Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class TestsPassed(GateModel):
    """A revision with the same files as a tested one counts as tested, unless its own pipeline failed.

    `accept: evidence` asks test reports (JUnit) instead of the pipeline, `[pipeline, evidence]` either: what
    one of them calls failed is failed.
    """

    name: ClassVar[str] = "tests-passed"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset(
        {"TestsPassed", "TestsFailed", "PipelineFinished", "pointsman.EvidenceAdded"}
    )

    accept: Annotated[tuple[Literal["pipeline", "evidence"], ...], Field(min_length=1), ONE_OR_MORE] = (
        "pipeline",
    )

    def evidence(self) -> frozenset[str]:
        return frozenset({"junit"}) if "evidence" in self.accept else frozenset()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        sources = {"pipeline": facts.tests, "evidence": facts.test_reports}
        found = [_state(sources[name], facts) for name in self.accept]
        worst = next((state for state in ("failed", "running", "passed") if state in found), None)
        return _verdict(worst, facts.revision[:7] or "this revision")


def _state(tests: Mapping[str, TestState], facts: ReleaseFacts) -> TestState | None:
    own = tests.get(facts.revision)
    equal = {tests.get(revision) for revision in facts.same_tree}
    if own == "failed":
        return "failed"
    return "passed" if "passed" in equal else "failed" if "failed" in equal else own


def _verdict(tests: str | None, revision: str) -> Verdict:
    answers: dict[str | None, tuple[State, str, str]] = {
        "passed": ("approved", "TestsPassed", f"The tests of {revision} passed."),
        "failed": (
            "rejected",
            "TestsFailed",
            f"The tests of {revision} failed: push a fix, or /retry if it was not the code.",
        ),
        "running": ("delayed", "TestsRunning", f"The tests of {revision} are running."),
        None: (
            "delayed",
            "TestsMissing",
            f"Waits for the pipeline of {revision}: nothing is known of its tests yet.",
        ),
    }
    state, code, message = answers[tests]
    return Verdict("tests-passed", state, code, message, have=tests or "nothing yet", need="passed")
