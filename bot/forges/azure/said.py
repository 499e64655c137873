"""One service hook call, with what every kind of it has in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.domain.catalog import draft
from bot.domain.model import Model
from bot.forges.azure.deliveries import repository_of
from bot.forges.azure.names import FORGE, ZERO, People, branch_of
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key

Json = dict[str, Any]
ABOUT = "x-pointsman-about"
"""A header that `connect` gives to each of the subscriptions to updated changes."""
PUSHED, REVIEWERS = "PushNotification", "ReviewersUpdateNotification"
STATUS, VOTE = "StatusUpdateNotification", "ReviewerVoteNotification"
KINDS = (PUSHED, REVIEWERS, STATUS, VOTE)


@dataclass(frozen=True)
class Said:
    """A body, and who is who in it."""

    whole: Json
    people: People
    about: str = ""
    """What was updated (`notificationType`), where the subscription is for that alone: ABOUT tells."""

    @property
    def resource(self) -> Json:
        found: Json = self.whole["resource"]
        return found

    @cached_property
    def repository(self) -> str:
        """`project/repository`. Raises KeyError when the body names none."""
        found = repository_of(self.whole)
        if not found:
            raise KeyError("repository")
        return found

    @property
    def default_branch(self) -> str:
        """Pull request events of today leave it out."""
        about = self.resource.get("repository") or (self.resource.get("pullRequest") or {}).get("repository")
        return branch_of((about or {}).get("defaultBranch")) or "main"

    @property
    def text(self) -> str:
        """The sentence in which the forge tells what happened. English, whatever the account's language."""
        return str((self.whole.get("message") or {}).get("text") or "")

    def person(self, identity: Json | None) -> str:
        """The login of an identity."""
        return self.people.of(identity)

    def hints(
        self, *, branch: str | None = None, change: int | None = None, sha: str | None = None
    ) -> list[str]:
        """Change, then branch, then revision (docs/adr/0007). The default branch belongs to no one trace."""
        hints = [] if change is None else [change_key(FORGE, self.repository, change)]
        if branch and branch != self.default_branch:
            hints.append(branch_key(FORGE, self.repository, branch))
        if sha and sha != ZERO:
            hints.append(revision_key(FORGE, self.repository, sha))
        return hints

    def fact(  # noqa: PLR0913 - one word for each field of a fact
        self,
        type_: str,
        data: Model,
        hints: list[str],
        *,
        actor: str,
        new_trace: bool = True,
        trace_id: str | None = None,
        repository: str | None = None,
    ) -> RepositoryFact:
        """A fact about the repository."""
        written = draft(type_, data, actor=actor or None)
        return RepositoryFact(
            draft=written.model_copy(update={"subject": hints[0] if hints else None}),
            repository=repository or self.repository,
            hints=tuple(dict.fromkeys(hints)),
            trace_id=trace_id,
            new_trace=new_trace,
        )
