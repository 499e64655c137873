"""`soak: 24h`: the same version has been healthy in the environment before for so long."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.gates.promoted_from import PromotedFrom
from policies.schema import ONE_OR_MORE, Duration, Words, say_duration
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class Soak(GateModel):
    """`environments` are the ones before; without them those that `after` names."""

    name: ClassVar[str] = "soak"
    short: ClassVar[str] = "time"
    section: ClassVar[Section] = "delay"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = PromotedFrom.reads

    time: Duration
    environments: Annotated[Words, ONE_OR_MORE] = ()

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        before = self.environments or policy.environments[facts.environment].after
        need = f"{say_duration(self.time)} healthy in {' and '.join(before) or 'an environment before'}"
        if not before:
            message = "There is no environment before this one to be healthy in: name it, or write `after`."
            return Verdict(self.name, "rejected", "SoakNowhere", message, "none", need)
        begun = [_since(facts, environment) for environment in before]
        waiting = [name for name, since in zip(before, begun, strict=True) if since is None]
        if waiting:
            version = facts.version or facts.revision[:7] or "this release"
            message = f"Waits for {version} to run healthily in {' and '.join(waiting)}."
            return Verdict(self.name, "delayed", "SoakNotStarted", message, "not started", need)
        since = max(moment for moment in begun if moment)
        over, have = since.astimezone(UTC) + self.time, say_duration(now - since)
        if now >= over:
            message = f"Healthy in {' and '.join(before)} for {have}."
            return Verdict(self.name, "approved", "Soaked", message, have, need)
        message = f"Waits until {over:%a %Y-%m-%d %H:%M:%S} UTC, by itself, if it stays healthy."
        return Verdict(self.name, "delayed", "Soaking", message, have, need, next_change_at=over)


def _since(facts: ReleaseFacts, environment: str) -> datetime | None:
    slot = facts.slots.get(environment)
    healthy = slot is not None and slot.healthy and slot.running_revision in facts.same_tree
    return slot.running_since if slot and healthy else None
