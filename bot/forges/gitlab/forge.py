"""GitLab as a forge: the port and nothing else.

What acts on it is imported when it first acts: a command line that only looks at the registry need not wait
for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from bot.domain.effect import Effect
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.allowance import Allowance
from bot.forges.capabilities import Capabilities
from bot.forges.finding import Finding, broken
from bot.forges.gitlab.capabilities import CAPABILITIES
from bot.forges.gitlab.client import Account, Answered, Api
from bot.forges.gitlab.normalise import normalise
from bot.forges.gitlab.verify import authenticate, usable
from bot.forges.port import Delivery, Missed, Report, RepositoryFact, Unusable
from bot.log.store import Store
from bot.settings import Settings

NO_ACCOUNT = "the bot has no account on GitLab"


class GitLabForge:
    """One GitLab, gitlab.com or one's own. Without a token it listens, and does nothing there."""

    name: ClassVar[str] = "gitlab"
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._secrets = settings.webhook_secrets(self.name)
        self._clock = clock
        account = Account.of(settings)
        self.api = Api(account, clock=clock) if account else None

    @classmethod
    def configured(cls, settings: Settings, _store: Store) -> Self | None:
        """None without a token and a webhook secret. Raises Unusable for a secret that cannot be meant."""
        secrets = settings.webhook_secrets(cls.name)
        if not all(map(usable, secrets)):
            raise Unusable("POINTSMAN_GITLAB_WEBHOOK_SECRET: what follows `whsec_` must be base64")
        if settings.gitlab_token and not settings.gitlab_login:
            raise Unusable(
                "POINTSMAN_GITLAB_LOGIN is not set: the user name that POINTSMAN_GITLAB_TOKEN belongs to"
            )
        return cls(settings) if secrets or settings.gitlab_token else None

    def authenticate(
        self, _headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        """A signed call is fresh or refused, by the clock of this machine."""
        return authenticate(self._secrets, raw_headers, body, now=self._clock())

    def normalise(self, _headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        return normalise(body, self._settings.gitlab_login)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        # Another tenant learns nothing, not even which repositories there are.
        if context.tenant_id != self._settings.tenant:
            raise Permanent("NotFound", f"there is no repository {effect.repository!r}")
        from bot.forges.gitlab.perform import perform

        return perform(self._account(), effect_id, effect, context)

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        from bot.forges.gitlab import files
        from bot.forges.gitlab.perform import translated

        try:
            files.export(self._account(), repository, revision, path, into)
        except Answered as answer:
            raise translated(answer, repository) from None

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        from bot.forges.gitlab import reports
        from bot.forges.gitlab.perform import translated

        try:
            yield from reports.reports(self._account(), repository, run)
        except Answered as answer:
            raise translated(answer, repository) from None

    def missed(self, since: datetime) -> Iterable[Missed]:
        """Nothing without an account: nobody can be asked then."""
        from bot.forges.gitlab import missed

        return missed.missed(self.api, self._settings.base_url, since) if self.api else ()

    def examine(self, repositories: Sequence[str]) -> Iterable[Finding]:
        from bot.forges.gitlab import hook, standing

        if self.api is None:
            return [broken("account", NO_ACCOUNT, "Set POINTSMAN_GITLAB_TOKEN.")]
        door = hook.Door(f"{self._settings.base_url.rstrip('/')}/webhooks/{self.name}", self._secrets)
        return standing.examine(self.api, door, repositories)

    def allowances(self) -> Iterator[Allowance]:
        """None before GitLab has said; one's own may have no limit."""
        budget = self.api.budget if self.api else None
        if budget and budget.limit is not None:
            yield Allowance("token", "api", budget.limit, budget.remaining, budget.until)

    def connect(self, repository: str, webhook_url: str) -> Iterable[Finding]:
        from bot.forges.gitlab import hook, standing

        if self.api is None:
            return self.examine(())
        return standing.connect(self.api, hook.Door(webhook_url, self._secrets), repository)

    def _account(self) -> Api:
        if self.api is None:
            raise Permanent("NoAccount", f"{NO_ACCOUNT}: set POINTSMAN_GITLAB_TOKEN")
        return self.api
