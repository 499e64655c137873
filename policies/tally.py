"""What has become of every approval of a release: which of them count, and why the others do not.

told(policy, facts, now)  # [Told(approval=..., standing="pushed"), Told(approval=..., standing="counts")]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.domain.release import REVIEW, Approval
from policies import approvals
from policies.ballot import Ballot
from policies.facts import ReleaseFacts

if TYPE_CHECKING:
    from policies.gates.approvals import Approvals
    from policies.model import Policy

Standing = Literal[
    "counts", "revoked", "invalidated", "pushed", "expired", "barred", "other-way", "unjustified", "not-asked"
]
"""`pushed`: it was given for a revision that is not the one looked at now. `other-way`: a review where only
commands count, or the other way round. `not-asked`: of somebody whom no rule names."""


@dataclass(frozen=True)
class Told:
    """One approval. `why` completes a standing: who somebody is that may not approve, why it was ended."""

    approval: Approval
    standing: Standing
    why: str = ""


def told(policy: Policy, facts: ReleaseFacts, now: datetime) -> list[Told]:
    """Every approval and review that was meant for the environment of `facts`, in the order given."""
    policy = policy.of(facts.tenant)
    gates = policy.approval_gates(facts.environment, policy_file=facts.touches_policy)
    ballots = [(gate, gate.ballot(facts, now, policy)) for gate in gates]
    meant = (one for one in facts.approvals if one.method == REVIEW or one.environment == facts.environment)
    return [_told(one, facts, ballots) for one in meant]


def _told(approval: Approval, facts: ReleaseFacts, ballots: list[tuple[Approvals, Ballot]]) -> Told:
    if approval.ended:
        return Told(approval, approval.ended, approval.why)
    if approval.revision not in facts.same_tree:
        return Told(approval, "pushed")
    found = [_by_gate(approval, gate, ballot) for gate, ballot in ballots]
    return next((one for one in found if one.standing == "counts"), _nearest(approval, found))


def _by_gate(approval: Approval, gate: Approvals, ballot: Ballot) -> Told:
    who = approval.approver.casefold()
    if not ballot.here(approval):
        return Told(approval, "other-way")
    if ballot.expired(approval):
        return Told(approval, "expired")
    if who in ballot.barred:
        return Told(approval, "barred", ballot.barred[who])
    if approval not in ballot.votes:
        return Told(approval, "unjustified")
    voters = {name.casefold() for name in approvals.voters(gate, ballot)}
    return Told(approval, "counts" if who in voters else "not-asked")


def _nearest(approval: Approval, found: Iterable[Told]) -> Told:
    """Of several gates that do not count it, the one that could say most about it."""
    saying = [one for one in found if one.standing not in {"other-way", "not-asked"}]
    return next(iter([*saying, *found]), Told(approval, "not-asked"))
