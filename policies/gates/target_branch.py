"""`target-branch: [main, release/*]`: the change goes into one of these branches."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.schema import ONE_OR_MORE, Lines
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class TargetBranch(GateModel):
    """`*` stands for any text."""

    name: ClassVar[str] = "target-branch"
    short: ClassVar[str] = "branches"
    section: ClassVar[Section] = "quality"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset()

    branches: Annotated[Lines, Field(min_length=1), ONE_OR_MORE]

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        have, need = facts.base_branch, " or ".join(self.branches)
        if any(fnmatchcase(have, pattern) for pattern in self.branches):
            return Verdict(self.name, "approved", "TargetAllowed", f"Goes into {have}.", have, need)
        message = f"Goes into {have}, needs {need}: open the change against another branch."
        return Verdict(self.name, "rejected", "TargetNotAllowed", message, have, need)
