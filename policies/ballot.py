"""Whose word counts: approvals that stand, of this revision, by second parties, in a way that counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from bot.domain.release import REVIEW, Approval
from policies.facts import ReleaseFacts

if TYPE_CHECKING:
    from policies.model import Policy

Exclusion = Literal["author", "committers", "last-pusher", "co-authors", "bots"]
SECOND_PARTY: tuple[Exclusion, ...] = ("author", "committers", "last-pusher")
"""Who does not count when the policy says nothing: nobody is his own second party."""
Way = Literal["commands", "reviews"]


@dataclass(frozen=True)
class Ballot:
    """What a rule is decided on."""

    policy: Policy
    facts: ReleaseFacts
    barred: dict[str, str]
    """folded login -> why this person's approval does not count."""
    justified: bool = False
    """Only approvals with a reason count."""
    accept: tuple[Way, ...] = ("commands",)
    now: datetime | None = None
    expires: timedelta | None = None
    """So long after it was given an approval counts no more."""

    @cached_property
    def votes(self) -> list[Approval]:
        """Everything that `people` finds, looked for once."""
        return list(self.people())

    def people(self) -> Iterator[Approval]:
        """Approvals that stand, of this environment and revision (or an equal tree), by second parties."""
        same = self.facts.same_tree
        for approval in self.facts.approvals:
            if (
                self._stands(approval)
                and approval.revision in same
                and approval.approver.casefold() not in self.barred
            ):
                yield approval

    def _stands(self, approval: Approval) -> bool:
        if approval.ended or not self.here(approval) or self.expired(approval):
            return False
        return not self.justified or bool(approval.comment.strip())

    def here(self, approval: Approval) -> bool:
        """Whether it was given for this environment, in a way that counts. A review is for every one."""
        if approval.method == REVIEW:
            return "reviews" in self.accept
        return "commands" in self.accept and approval.environment == self.facts.environment

    def ends(self, approval: Approval) -> datetime | None:
        """When it counts no more; None: never."""
        return approval.approved_at + self.expires if self.expires else None

    def expired(self, approval: Approval) -> bool:
        ends = self.ends(approval)
        return ends is not None and self.now is not None and ends <= self.now


def barred(facts: ReleaseFacts, exclude: Iterable[Exclusion]) -> dict[str, str]:
    """Folded login -> `is the author`. The strongest reason wins."""
    bots = [login for login, actor in facts.actors.items() if actor.bot]
    groups: dict[Exclusion, tuple[str, Iterable[str]]] = {
        "bots": ("is a bot", bots),
        "co-authors": ("is a co-author", facts.co_authors),
        "last-pusher": ("pushed last", [facts.last_pusher] if facts.last_pusher else []),
        "committers": ("committed to it", facts.committers),
        "author": ("is the author", [facts.author] if facts.author else []),
    }
    asked = set(exclude)
    return {who.casefold(): why for kind, (why, logins) in groups.items() if kind in asked for who in logins}
