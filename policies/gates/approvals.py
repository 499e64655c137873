"""`approvals`: enough of the right people agreed to exactly this revision (rules: policies/approvals.py)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StrictBool

from policies import approvals
from policies.approvals import Rule
from policies.ballot import SECOND_PARTY, Ballot, Exclusion, Way, barred
from policies.facts import ReleaseFacts
from policies.gate import Phase, Section
from policies.schema import ONE_OR_MORE, Count, Duration
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Approvals(Rule):
    """A rule, who is no second party, how many different people at least, and whether each must say why."""

    name: ClassVar[str] = "approvals"
    section: ClassVar[Section] = "approvals"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset(
        {
            "ApprovalGranted",
            "ApprovalRevoked",
            "ApprovalInvalidated",
            "ReleaseRejected",
            "MembershipChanged",
            "ReviewSubmitted",
            "ReviewDismissed",
        }
    )

    exclude: Annotated[tuple[Exclusion, ...] | None, ONE_OR_MORE] = None
    people: Count | None = None
    justification: StrictBool = False
    accept: Annotated[tuple[Way, ...], Field(min_length=1), ONE_OR_MORE] = ("commands",)
    """`reviews`: a forge's own approving review of the revision counts, for every environment."""
    expires: Duration | None = None
    """So long after it was given an approval counts no more."""

    @property
    def excluded(self) -> tuple[Exclusion, ...]:
        return SECOND_PARTY if self.exclude is None else self.exclude

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        ballot = self.ballot(facts, now, policy)
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
            next_change_at=self._expiry(ballot) if tree.approved and self.expires else None,
            children=nodes,
        )

    def ballot(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Ballot:
        """What its rules are decided on."""
        excluded = barred(facts, self.excluded)
        return Ballot(policy, facts, excluded, self.justification, self.accept, now, self.expires)

    def holds(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> bool:
        """Whether `check` would approve."""
        ballot = self.ballot(facts, now, policy)
        enough = approvals.fulfilled(self, ballot)
        return enough and not (self.people and self._people(ballot))

    def _expiry(self, ballot: Ballot) -> datetime | None:
        """The first moment at which one of those that count ends."""
        return min(filter(None, map(ballot.ends, ballot.votes)), default=None)

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
