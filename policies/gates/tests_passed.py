"""`tests-passed`: the pipeline of this revision succeeded."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import State, Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class TestsPassed(GateModel):
    """A revision with the same files as a tested one counts as tested, unless its own pipeline failed."""

    name: ClassVar[str] = "tests-passed"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"TestsPassed", "TestsFailed", "PipelineFinished"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        own = facts.tests.get(facts.revision)
        equal = {facts.tests.get(revision) for revision in facts.same_tree}
        state = (
            "failed"
            if own == "failed"
            else "passed"
            if "passed" in equal
            else "failed"
            if "failed" in equal
            else own
        )
        return _verdict(state, facts.revision[:7] or "this revision")


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
