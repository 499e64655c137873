"""`approvals`: enough of the right people agreed to exactly this revision (rules: policies/approvals.py)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, StrictBool

from policies import approvals
from policies.approvals import SECOND_PARTY, Ballot, Exclusion, Rule
from policies.facts import ReleaseFacts
from policies.gate import Phase, Section
from policies.schema import Count, as_tuple
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Approvals(Rule):
    """A rule, who is no second party, how many different people at least, and whether each must say why."""

    name: ClassVar[str] = "approvals"
    section: ClassVar[Section] = "approvals"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset(
        {"ApprovalGranted", "ApprovalRevoked", "ApprovalInvalidated", "ReleaseRejected", "MembershipChanged"}
    )

    exclude: Annotated[tuple[Exclusion, ...] | None, BeforeValidator(as_tuple)] = None
    people: Count | None = None
    justification: StrictBool = False

    @property
    def excluded(self) -> tuple[Exclusion, ...]:
        return SECOND_PARTY if self.exclude is None else self.exclude

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        ballot = Ballot(policy, facts, approvals.barred(facts, self.excluded), self.justification)
        tree = approvals.decide(self, ballot)
        nodes = tree.children if self.branches is not None else (tree,)
        if self.people and tree.approved:
            lacking = self._people(ballot)
            nodes = (*nodes, lacking) if lacking else nodes
            tree = lacking or tree
        return Verdict(
            self.name,
            tree.state,
            tree.reason_code,
            tree.message,
            tree.have,
            tree.need,
            tree.who_can,
            children=nodes,
        )

    def _people(self, ballot: Ballot) -> Verdict | None:
        have = sorted({person.casefold(): person for person in approvals.voters(self, ballot)}.values())
        need = self.people or 1
        if len(have) >= need:
            return None
        message = f"Needs {need} different people; so far only {' and '.join(have)} approved."
        able = tuple(
            who
            for leaf in approvals.leaves(self)
            for who in approvals.helpers(leaf, ballot, [h.casefold() for h in have])
        )
        return Verdict(
            "people", "delayed", "ApprovalMissing", message, have=", ".join(have), need=f"{need} people",
            who_can=tuple(dict.fromkeys(able)),
        )  # fmt: skip
