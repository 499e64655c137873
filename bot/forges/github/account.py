"""Whom the bot is on GitHub: an App with a token per repository and permission, or the user of a token.

A token of an installation may do one thing in one repository, for an hour at most:
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from bot.domain.errors import Permanent
from bot.forges.github.errors import Answered, not_found
from bot.telemetry import hide, redact

Level = Literal["read", "write"]
Needs = Mapping[str, Level]
READ: Needs = {"contents": "read", "pull_requests": "read", "metadata": "read"}
RANK = {"read": 1, "write": 2, "admin": 3}
EARLY_S = 300.0
"""A token is no longer used so long before it ends: the clocks differ, and a request takes its time."""
KNOWN_S = 600.0
"""How long an installation's permissions are believed."""


class Signed(Protocol):
    """Asks GitHub as the App itself, with a JWT; `(method, path, body) -> JSON`. Raises Answered."""

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any: ...


@dataclass(frozen=True)
class Installation:
    """The App in one account. `permissions` are those that were granted."""

    id: int
    permissions: Mapping[str, str]
    known_at: float


@dataclass
class App:
    """Tokens of a GitHub App, kept until shortly before they end."""

    signed: Signed
    clock: Callable[[], float] = time.time
    _installations: dict[str, Installation] = field(default_factory=dict)
    _tokens: dict[tuple[str, frozenset[tuple[str, str]]], tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, repository: str, needs: Needs, wishes: Needs) -> str:
        """A token for one repository that may do what is needed, and of what is wished what was granted.

        For an organisation, named without a slash, when a repository is yet to be made. Raises Permanent,
        Answered.
        """
        with self._lock:  # one thread asks; the others use its answer
            installation = self._installation(repository)
            wanted = self._granted(repository, installation, needs, wishes)
            key = (repository, frozenset(wanted.items()))
            token, ends = self._tokens.get(key, ("", 0.0))
            if ends - EARLY_S <= self.clock():
                token, ends = self._make(repository, installation, wanted)
                self._tokens[key] = (token, ends)
            return token

    def forget(self, repository: str) -> None:
        """GitHub took a token or a permission of this repository back."""
        with self._lock:
            self._installations.pop(repository, None)
            for key in [key for key in self._tokens if key[0] == repository]:
                del self._tokens[key]

    def may(self, repository: str, permission: str, level: Level) -> bool:
        """Whether the installation was granted so much."""
        with self._lock:
            held = self._installation(repository).permissions.get(permission, "")
        return RANK.get(held, 0) >= RANK[level]

    def budget_of(self, repository: str) -> str:
        """Requests are counted per installation."""
        known = self._installations.get(repository)
        return f"installation {known.id}" if known else "app"

    def _installation(self, repository: str) -> Installation:
        known = self._installations.get(repository)
        if known and known.known_at + KNOWN_S > self.clock():
            return known
        kind, what = ("repos", "repository") if "/" in repository else ("orgs", "organisation")
        try:
            said = self.signed("GET", f"/{kind}/{repository}/installation")
        except Answered as error:
            if error.status == 404:  # noqa: PLR2004 - HTTP
                raise not_found(f"{what} {repository!r} where the App is installed") from error
            raise
        if said.get("suspended_at"):
            raise Permanent(
                "Suspended", f"the App is suspended in {repository}: its owner can let it in again"
            )
        made = Installation(said["id"], said.get("permissions") or {}, self.clock())
        self._installations[repository] = made
        return made

    def _granted(
        self, repository: str, installation: Installation, needs: Needs, wishes: Needs
    ) -> dict[str, str]:
        held = installation.permissions
        for name, level in needs.items():
            if name != "metadata" and RANK.get(held.get(name, ""), 0) < RANK[level]:
                self._installations.pop(repository, None)  # it may be given any moment
                raise Permanent(
                    "NoWriteAccess" if level == "write" else "NoReadAccess",
                    f"the App may not {level} {name.replace('_', ' ')} in {repository}: "
                    "give it that permission, and accept it in the installation",
                )
        more = {
            name: level for name, level in wishes.items() if RANK.get(held.get(name, ""), 0) >= RANK[level]
        }
        return {**more, **needs}

    def _make(
        self, repository: str, installation: Installation, wanted: Mapping[str, str]
    ) -> tuple[str, float]:
        path = f"/app/installations/{installation.id}/access_tokens"
        body: dict[str, Any] = {"permissions": dict(wanted)}
        if name := repository.partition("/")[2]:
            body["repositories"] = [name]
        try:
            said = self.signed("POST", path, body)
        except Answered as error:
            self._installations.pop(repository, None)
            if error.status in {403, 404, 422}:
                raise Permanent(
                    "NoWriteAccess" if "write" in wanted.values() else "NoReadAccess",
                    f"GitHub gives the App no token for {repository}: {error.message}",
                ) from error
            raise
        if redact(said["token"]) == said["token"]:  # else it is known by its looks, and need not be kept
            hide([said["token"]])
        return said["token"], datetime.fromisoformat(said["expires_at"]).timestamp()


@dataclass(frozen=True)
class User:
    """The user of a personal token, who may do what the token may."""

    secret: str = field(repr=False)

    def token(self, _repository: str, _needs: Needs, _wishes: Needs) -> str:
        return self.secret

    def forget(self, _repository: str) -> None:
        """There is no other."""

    def may(self, _repository: str, _permission: str, _level: Level) -> bool | None:
        """Only GitHub knows."""
        return None

    def budget_of(self, _repository: str) -> str:
        return "token"


Account = App | User
