"""`minimum-delay: 10m`: so much time passes between the approval and the deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, model_validator

from policies.facts import ReleaseFacts
from policies.gate import Phase, Section
from policies.schema import CLOSED, Duration, say_duration
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class MinimumDelay(BaseModel):
    """Counts from the approval that fulfilled the last approval gate; without any, from the intent."""

    model_config = CLOSED

    name: ClassVar[str] = "minimum-delay"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset(
        {"ApprovalGranted", "ApprovalRevoked", "ApprovalInvalidated", "ReleaseIntentDeclared"}
    )

    delay: Duration

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"delay": value} if isinstance(value, str) else value

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
        if item.gate.name == "approvals" and item.applies(facts, now)
    ]
    if not gates:
        return facts.intent_at
    if not facts.approvals or any(not gate.check(facts, now, policy).approved for gate in gates):
        return None
    moments = sorted({approval.approved_at for approval in facts.approvals})
    for moment in moments:
        known = facts.model_copy(
            update={"approvals": tuple(a for a in facts.approvals if a.approved_at <= moment)}
        )
        if all(gate.check(known, now, policy).approved for gate in gates):
            return moment
    return None
