"""One webhook call as it is being put into our words: who, where, and which keys may lead to its trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.domain.catalog import draft
from bot.domain.model import Model
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key
from bot.forges.trailers import trace_of
from bot.messages import BOT

FORGE = "github"
ZERO = "0" * 40
GHOST = "ghost"
"""Who GitHub shows in place of an account that was deleted."""
OTHER = "other:"
Json = dict[str, Any]


def person(user: Json | None, bot: str) -> str:
    """Our name for an account: the bot's own is BOT, whatever it is called there.

    Another account may have that very name: whoever has another App installed must not be taken for the bot.
    """
    login = str((user or {}).get("login") or GHOST)
    if login.casefold() == bot.casefold():
        return BOT
    return f"{OTHER}{login}" if login.casefold() == BOT.casefold() else login


def login_of(name: str, bot: str) -> str:
    """The other way round: what GitHub calls somebody."""
    return bot if name == BOT else name.removeprefix(OTHER)


def branch_name(ref: str) -> str:
    """`refs/heads/feature/x` -> `feature/x`."""
    return ref.removeprefix("refs/heads/")


@dataclass(frozen=True)
class Said:
    """A delivery, and the bot's login on GitHub."""

    event: str
    json: Json
    bot: str

    @property
    def action(self) -> str:
        return str(self.json.get("action", ""))

    @property
    def repository(self) -> str:
        return str((self.json.get("repository") or {}).get("full_name", ""))

    @property
    def default_branch(self) -> str:
        return str((self.json.get("repository") or {}).get("default_branch", "main"))

    @property
    def sender(self) -> str:
        return self.person(self.json.get("sender"))

    @property
    def by_us(self) -> bool:
        """Whether the bot itself did it: what it did is in its log already, as the effect that did it."""
        return self.sender == BOT

    def person(self, user: Json | None) -> str:
        return person(user, self.bot)

    def ours(self, app: Json | None) -> bool:
        """Whether an App is the bot."""
        return self.person({"login": f"{(app or {}).get('slug', '')}[bot]"}) == BOT

    def hints(
        self, *, branch: str | None = None, changes: Iterable[int] = (), sha: str | None = None
    ) -> list[str]:
        """Change, then branch, then revision (docs/adr/0007). The default branch belongs to no one trace."""
        hints = [change_key(FORGE, self.repository, number) for number in changes]
        if branch and branch != self.default_branch:
            hints.append(branch_key(FORGE, self.repository, branch))
        if sha and sha != ZERO:
            hints.append(revision_key(FORGE, self.repository, sha))
        return hints

    def fact(
        self,
        type_: str,
        data: Model,
        hints: Iterable[str] = (),
        *,
        new_trace: bool = False,
        message: str = "",
        unknown: frozenset[str] = frozenset(),
    ) -> RepositoryFact:
        """A fact; `message` may name a trace in its trailers. `unknown` are fields that GitHub left out here:
        they are not told, or what is known of them would be forgotten.
        """
        hints = tuple(dict.fromkeys(hints))
        written = draft(type_, data, actor=self.sender, subject=hints[0] if hints else None)
        told = {name: value for name, value in written.data.items() if name not in unknown}
        return RepositoryFact(
            draft=written.model_copy(update={"data": told}),
            repository=self.repository,
            hints=hints,
            trace_id=trace_of(message),
            new_trace=new_trace,
        )
