"""`minimum-delay: 10m`: so much time passes between the approval and the deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.gates.approvals import Approvals
from policies.schema import Duration, say_duration
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class MinimumDelay(GateModel):
    """Counts from the approval that fulfilled the last approval gate; without any, from the intent."""

    name: ClassVar[str] = "minimum-delay"
    short: ClassVar[str] = "delay"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset(
        {"ApprovalGranted", "ApprovalRevoked", "ApprovalInvalidated", "ReleaseIntentDeclared"}
    )

    delay: Duration

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        need = say_duration(self.delay)
        begun = approved_since(facts, now, policy)
        if begun is None:
            message = f"{need} must pass after the approval, which is not there yet."
            return Verdict(self.name, "delayed", "DelayNotStarted", message, have="not started", need=need)
        passed, over = now - begun, begun.astimezone(UTC) + self.delay
        have = say_duration(passed)
        if now >= over:
            return Verdict(
                self.name, "approved", "DelayElapsed", f"{need} have passed since the approval.", have, need
            )
        message = f"Waits until {over:%a %Y-%m-%d %H:%M:%S} UTC, {need} after the approval, by itself."
        return Verdict(self.name, "delayed", "DelayRunning", message, have, need, next_change_at=over)


def approved_since(facts: ReleaseFacts, now: datetime, policy: Policy) -> datetime | None:
    """When the last approval gate that applies was fulfilled; None: not yet."""
    gates = [
        item.gate
        for item in policy.items(facts)
        if isinstance(item.gate, Approvals) and item.applies(facts, now)
    ]
    if not gates:
        return facts.intent_at
    given = sorted(facts.approvals, key=lambda approval: approval.approved_at)
    if not given or not _all_hold(gates, facts, now, policy):
        return None
    for moment in dict.fromkeys(approval.approved_at for approval in given):
        known = tuple(approval for approval in given if approval.approved_at <= moment)
        if _all_hold(gates, facts.model_copy(update={"approvals": known}), now, policy):
            return moment
    return None


def _all_hold(gates: list[Approvals], facts: ReleaseFacts, now: datetime, policy: Policy) -> bool:
    return all(gate.holds(facts, now, policy) for gate in gates)
