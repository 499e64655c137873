"""Everything a policy may look at: plain data, gathered by somebody else.

Also what `policy explain --facts` reads.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.cel import Kind, Language
from bot.domain.deployment import Slot
from bot.domain.model import Model, Moment
from bot.domain.payloads import Actor
from bot.domain.release import Approval, Override, Rejection

TestState = Literal["passed", "failed", "running"]


class ReleaseFacts(Model):
    """One release as it stands.

    `revision` is what would be deployed, `head_revision` what people look at now.
    """

    tenant: str = "default"
    module: str = ""
    version: str = ""
    environment: str = ""
    revision: str = ""
    head_revision: str = ""
    """Empty: the same as `revision`."""
    phase: Literal["change", "deployment"] = "change"
    carried: dict[str, str] = Field(default_factory=dict)
    """revision -> approved revision with an equal tree (a merge or squash of it)."""
    tests: dict[str, TestState] = Field(default_factory=dict)
    coverage: dict[str, float] = Field(default_factory=dict)
    """revision -> covered lines in per cent."""
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    author: str = ""
    committers: tuple[str, ...] = ()
    last_pusher: str | None = None
    co_authors: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    actors: dict[str, Actor] = Field(default_factory=dict)
    """login -> what the forge says of a person.

    Who is missing is not known, which is not the same as holding nothing.
    """
    slots: dict[str, Slot] = Field(default_factory=dict)
    base_branch: str = "main"
    draft: bool = False
    touches_policy: bool = False
    """The change edits the policy file."""
    intent_at: Moment | None = None
    calendars: dict[str, str] = Field(default_factory=dict)
    """path in the repository -> iCalendar text."""

    @property
    def head(self) -> str:
        return self.head_revision or self.revision

    @property
    def same_tree(self) -> frozenset[str]:
        """The revision, and those whose approval and tests hold for it because their files are equal."""
        found, revision = {self.revision}, self.carried.get(self.revision)
        while revision and revision not in found:
            found.add(revision)
            revision = self.carried.get(revision)
        return frozenset(found)

    def actor(self, login: str) -> Actor | None:
        """What is known of a person. Forges do not tell Jane from jane."""
        if login in self.actors:
            return self.actors[login]
        folded = login.casefold()
        return next((actor for name, actor in self.actors.items() if name.casefold() == folded), None)


NAMES: dict[str, Kind] = {
    "change.author": "string",
    "change.base": "string",
    "change.committers": "list<string>",
    "change.draft": "bool",
    "change.labels": "list<string>",
    "now": "timestamp",
    "release.environment": "string",
    "release.module": "string",
    "release.phase": "string",
    "release.revision": "string",
    "release.tenant": "string",
    "release.version": "string",
    "tests.coverage": "double",
    "tests.state": "string",
}
"""What a `when:` condition may name.

`tests.coverage` has no value while it is not known: a condition on it blocks.
"""

CONDITIONS = Language(NAMES)


def values(facts: ReleaseFacts, now: datetime) -> dict[str, Any]:
    """The facts by the names of conditions."""
    known: dict[str, Any] = {
        "change.author": facts.author,
        "change.base": facts.base_branch,
        "change.committers": list(facts.committers),
        "change.draft": facts.draft,
        "change.labels": list(facts.labels),
        "now": now,
        "release.environment": facts.environment,
        "release.module": facts.module,
        "release.phase": facts.phase,
        "release.revision": facts.revision,
        "release.tenant": facts.tenant,
        "release.version": facts.version,
        "tests.state": facts.tests.get(facts.revision, ""),
    }
    coverage = facts.coverage.get(facts.revision)
    return known if coverage is None else known | {"tests.coverage": coverage}
