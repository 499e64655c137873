"""`environment-lock`: nobody has locked the environment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from policies import roles
from policies.facts import ReleaseFacts
from policies.gate import GateModel, Phase, Section
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class EnvironmentLock(GateModel):
    """`/lock <environment> <reason>` locks it, `/unlock` opens it."""

    name: ClassVar[str] = "environment-lock"
    section: ClassVar[Section] = "freeze"
    phase: ClassVar[Phase] = "deployment"
    reads: ClassVar[frozenset[str]] = frozenset({"TriggerRequested"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:  # noqa: ARG002  the shape of a gate
        if facts.locks is None:
            message = f"Waits to hear whether somebody has locked {facts.environment}."
            return Verdict(self.name, "delayed", "LockUnknown", message, "nothing yet", "not locked")
        lock = facts.locks.get(facts.environment)
        if lock is None:
            return Verdict(self.name, "approved", "NotLocked", "Nobody has locked it.", "open", "not locked")
        why = f": {lock.reason}" if lock.reason else ""
        message = f"Locked by {lock.by}{why}. `/unlock {facts.environment}` opens it."
        others = roles.holders(policy, roles.Permission.DEPLOY, facts.environment)
        able, have = tuple(dict.fromkeys((lock.by, *others))), f"locked by {lock.by}"
        return Verdict(self.name, "delayed", "EnvironmentLocked", message, have, "not locked", able)
