"""Azure DevOps as one object: the port, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from bot.domain.effect import Effect
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.allowance import Allowance
from bot.forges.azure.capabilities import CAPABILITIES
from bot.forges.azure.client import Client
from bot.forges.azure.credentials import Credentials, PersonalToken, WorkloadIdentity
from bot.forges.azure.missed import missed
from bot.forges.azure.names import FORGE, People, Repository
from bot.forges.azure.normalise import normalise
from bot.forges.azure.perform import perform, told
from bot.forges.azure.place import Place
from bot.forges.azure.read import export
from bot.forges.azure.reports import reports
from bot.forges.azure.standing import connect, examine
from bot.forges.azure.verify import authenticate
from bot.forges.capabilities import Capabilities
from bot.forges.finding import Finding, broken
from bot.forges.port import Delivery, Missed, Report, RepositoryFact, Unusable
from bot.log.store import Store
from bot.settings import Settings

ADVICE = (
    "set POINTSMAN_AZURE_URL (https://dev.azure.com/ORGANISATION), POINTSMAN_AZURE_LOGIN (the bot's "
    "unique name) and POINTSMAN_AZURE_TOKEN, or a workload identity (AZURE_TENANT_ID, AZURE_CLIENT_ID, "
    "AZURE_FEDERATED_TOKEN_FILE)"
)


class AzureForge:
    """Without an account it takes webhooks and does nothing else."""

    name: ClassVar[str] = FORGE
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, secrets: tuple[bytes, ...], people: People, client: Client | None) -> None:
        self._secrets = secrets
        self._people = people
        self._client = client

    @classmethod
    def configured(cls, settings: Settings, _store: Store) -> Self | None:
        secrets = settings.webhook_secrets(FORGE)
        client = _client(settings, secrets[0] if secrets else b"")
        if client is None and not secrets:
            return None
        return cls(tuple(secrets), People(settings.azure_login), client)

    def authenticate(
        self, _headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        return authenticate(self._secrets, raw_headers, body)

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        return normalise(headers, body, self._people)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        return perform(self._account(), effect_id, effect, context)

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        with told(repository):
            export(Place(self._account(), Repository.of(repository)), revision, path, into)

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        with told(repository):
            yield from reports(Place(self._account(), Repository.of(repository)), run)

    def missed(self, since: datetime) -> Iterator[Missed]:
        if self._client is not None:
            with told("the organisation"):
                yield from missed(self._client, since)

    def examine(self, repositories: Sequence[str]) -> Iterator[Finding]:
        if self._client is None:
            yield broken("azure", "the bot has no account there: it hears, and can do nothing", ADVICE)
        else:
            yield from examine(self._client, repositories)

    def allowances(self) -> Iterator[Allowance]:
        """Nothing as long as there is enough: Azure DevOps tells only who comes near its limit."""
        budget = self._client.budget if self._client else None
        if budget and budget.remaining is not None:
            yield Allowance("account", "api", budget.limit, budget.remaining)

    def connect(self, repository: str, webhook_url: str) -> Iterator[Finding]:
        if self._client is None:
            yield broken("azure", "the bot has no account there", ADVICE)
        else:
            yield from connect(self._client, repository, webhook_url, self._secrets)

    def _account(self) -> Client:
        if self._client is None:
            raise Permanent("NoAccount", f"the bot has no account on Azure DevOps: {ADVICE}")
        return self._client


def _client(settings: Settings, hook_secret: bytes) -> Client | None:
    verify = str(settings.ca_bundle) if settings.ca_bundle else True
    credentials = _credentials(settings, verify=verify)
    if not settings.azure_url or credentials is None:
        if settings.azure_token is not None:
            raise Unusable(f"POINTSMAN_AZURE_TOKEN is set and POINTSMAN_AZURE_URL is not: {ADVICE}")
        return None
    if not settings.azure_login:
        raise Unusable(f"POINTSMAN_AZURE_LOGIN is not set: {ADVICE}")
    return Client(
        settings.azure_url.rstrip("/"),
        credentials,
        People(settings.azure_login),
        settings.home / "azure",
        verify,
        hook_secret.decode(),
    )


def _credentials(settings: Settings, *, verify: str | bool) -> Credentials | None:
    if settings.azure_token is not None:
        return PersonalToken(settings.azure_token.get_secret_value())
    return WorkloadIdentity.of(os.environ, verify=verify)
