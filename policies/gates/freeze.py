"""`freeze`: no window of the top-level `freezes` is closed.

Always on, so it is never written among an environment's gates.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from policies import freezes, roles
from policies.facts import ReleaseFacts
from policies.freezes import Status
from policies.gate import Phase, Section
from policies.schema import CLOSED
from policies.spans import CalendarError
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy


class FreezeGate(BaseModel):
    """A calendar that can not be read closes everything in its scope."""

    model_config = CLOSED

    name: ClassVar[str] = "freeze"
    section: ClassVar[Section] = "freeze"
    phase: ClassVar[Phase] = "change"
    reads: ClassVar[frozenset[str]] = frozenset({"FreezeOverridden", "ChangeLabelled", "TriggerRequested"})

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        try:
            status = freezes.status(policy.freezes, facts, now, roles.held_by(policy, facts))
        except CalendarError as error:
            message = f"Closed, because {error}. Put the calendar right on {facts.base_branch}."
            return Verdict(self.name, "delayed", "CalendarUnusable", message, need="a readable calendar")
        if status.closed:
            return _closed(policy, facts, status)
        code, message = _open(facts, status)
        return Verdict(self.name, "approved", code, message, "open", "open", next_change_at=status.next_close)


def _closed(policy: Policy, facts: ReleaseFacts, status: Status) -> Verdict:
    able = roles.holders(policy, roles.Permission.OVERRIDE_FREEZE, facts.environment)
    way_out = f"say `/override-freeze {facts.environment} <reason>`" if able else "nobody may override it"
    message = (
        f"Frozen by {status.reason}. Wait, or {way_out}."
        if able
        else f"Frozen by {status.reason}; {way_out}."
    )
    return Verdict(
        "freeze", "delayed", "FreezeActive", message, have=f"frozen by {', '.join(status.windows)}",
        need="open",
        who_can=able, next_change_at=status.next_open,
    )  # fmt: skip


def _open(facts: ReleaseFacts, status: Status) -> tuple[str, str]:
    if not status.lifted:
        return "NoFreeze", "No freeze."
    names = ", ".join(status.lifted)
    by = [override.by for override in facts.overrides if override.window in status.lifted]
    if by:
        return "FreezeOverridden", f"{names} lifted for this release by {', '.join(dict.fromkeys(by))}."
    return "FreezeExempt", f"{names} does not apply to this release."
