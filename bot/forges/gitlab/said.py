"""A GitLab webhook call, read: its project, its people, its times. Only the fields we need; the rest may be
anything (https://docs.gitlab.com/user/project/integrations/webhook_events/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.catalog import CATALOG
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key
from bot.forges.trailers import trace_of
from bot.messages import BOT

FORGE = "gitlab"
ZERO = "0" * 40
Json = dict[str, Any]
MACHINE = re.compile(
    r"(project|group)_\d+_bot(_[0-9a-f]+)?|service_account_\S+|ghost|(alert|support|automation|security)-bot"
    r"|GitLab\S*Bot|gitlab-bot",
    re.IGNORECASE,
)
"""User names of access tokens, service accounts and GitLab itself: no call says who is a machine."""
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)\s?(UTC|Z|[+-]\d\d:?\d\d)")


def moment(text: str) -> datetime:
    """`2024-01-01 00:00:00 UTC`, `2021-04-28 21:50:00 +0200` or ISO 8601. Raises ValueError."""
    match = STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time as GitLab writes them")
    zone = "+00:00" if match[3] in {"UTC", "Z"} else match[3]
    return datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")


@dataclass(frozen=True)
class Said:
    """One call. `login` is the bot's own user name there; everywhere else the bot is `messages.BOT`."""

    body: Json
    login: str

    @property
    def project(self) -> Json:
        return dict(self.body.get("project") or {})

    @property
    def repository(self) -> str:
        """The full path of the project. Raises KeyError."""
        return str(self.project["path_with_namespace"])

    @property
    def default_branch(self) -> str:
        return str(self.project.get("default_branch") or "main")

    @property
    def attributes(self) -> Json:
        return dict(self.body.get("object_attributes") or {})

    @property
    def actor(self) -> str:
        """Who did it. System hooks leave the user name of a pusher out; a display name proves nothing."""
        user = self.body.get("user") or {}
        known = user.get("username") or self.body.get("user_username")
        return self.person(str(known)) if known else str(self.body.get("user_email") or "")

    def person(self, username: str) -> str:
        """A user name as everybody else knows it."""
        return BOT if username == self.login else username

    def is_bot(self, person: str) -> bool:
        """Whether a machine answers to this name."""
        return person == BOT or bool(MACHINE.fullmatch(person))

    def hints(
        self, *, change: int | None = None, branch: str | None = None, sha: str | None = None
    ) -> tuple[str, ...]:
        """Change, then branch, then revision (docs/adr/0007). The default branch belongs to no one trace."""
        found = [change_key(FORGE, self.repository, change)] if change else []
        if branch and branch != self.default_branch:
            found.append(branch_key(FORGE, self.repository, branch))
        if sha and sha != ZERO:
            found.append(revision_key(FORGE, self.repository, sha))
        return tuple(found)

    def fact(
        self,
        type_: str,
        data: Model,
        hints: tuple[str, ...] = (),
        *,
        message: str = "",
        new_trace: bool = False,
    ) -> RepositoryFact:
        """One fact. What a call leaves out is left out, so that what is known already stays.

        `message` is that of the commit whose trailers may name a trace.
        """
        assert isinstance(data, CATALOG[type_].payload)
        told = data.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
        subject = hints[0] if hints else None
        draft = Draft(type=type_, data=told, actor=self.actor or None, subject=subject)
        return RepositoryFact(draft, str(told.get("repository", "")), hints, trace_of(message), new_trace)
