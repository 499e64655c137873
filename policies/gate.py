"""What a gate is: its fields are its YAML, `check` is its meaning, `reads` names what can change its answer.

A gate is one file in `policies/gates/`; being there is all the registration it needs.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from policies.facts import ReleaseFacts
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

Phase = Literal["change", "deployment"]
Section = Literal["freeze", "approvals", "delay", "quality", "security"]
SECTIONS: tuple[Section, ...] = ("freeze", "approvals", "delay", "quality", "security")
"""The order in which a person reads a verdict."""

REVISION = frozenset(
    {
        "ChangeOpened",
        "ChangeUpdated",
        "ChangeReopened",
        "ChangeMerged",
        "FactsGathered",
        "pointsman.ApprovalsCarried",
    }
)
"""What changes the revision, the people or the policy that every gate looks at."""


class Gate(Protocol):
    """One condition of a release."""

    name: ClassVar[str]
    section: ClassVar[Section]
    phase: ClassVar[Phase]
    """`deployment`: can only hold after the merge, so it does not keep a change from being merged."""
    reads: ClassVar[frozenset[str]]
    """Event types that can change its answer, beside REVISION."""

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        """The verdict at a moment. Pure. `policy` is for gates that speak of roles or of other gates."""
        ...
