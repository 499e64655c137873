"""GitHub as a forge: the port, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from bot.domain.effect import Effect
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.allowance import Allowance
from bot.forges.capabilities import Capabilities
from bot.forges.finding import Finding, doubtful
from bot.forges.github import artefacts, files, known, standing
from bot.forges.github.asking import Access
from bot.forges.github.capabilities import CAPABILITIES
from bot.forges.github.client import Client
from bot.forges.github.ground import Ground
from bot.forges.github.missed import missed
from bot.forges.github.normalise import normalise
from bot.forges.github.perform import perform
from bot.forges.github.verify import authenticate
from bot.forges.port import Delivery, Missed, Report, RepositoryFact, Unusable
from bot.log.store import Store
from bot.settings import Settings

NO_ACCOUNT = (
    "the bot has no account on GitHub: set POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_APP_KEY_FILE, "
    "or POINTSMAN_GITHUB_TOKEN"
)

MUTE = doubtful(
    "github", "the bot listens, and can do nothing", f"If it shall act: {NO_ACCOUNT.partition(': ')[2]}."
)


class GitHubForge:
    """With a webhook secret alone it listens; with an account it acts as well."""

    name: ClassVar[str] = "github"
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, settings: Settings, ground: Ground | None) -> None:
        self._secrets = settings.webhook_secrets(self.name)
        self._login = settings.github_login
        self._webhook_url = f"{settings.base_url.rstrip('/')}/webhooks/{self.name}"
        self._ground = ground

    @classmethod
    def configured(cls, settings: Settings, store: Store) -> Self | None:
        """GitHub as the settings want it. Raises Unusable."""
        access = _access(settings)
        if access is None:
            return cls(settings, None) if settings.webhook_secrets(cls.name) else None
        ground = Ground(
            Client(access, processes=lambda: known.processes(store)),
            settings.github_login,
            settings.base_url,
            settings.tenant,
            lambda: known.repositories(store, settings.tenant, cls.name),
            patience=settings.github_pause,
            secrets=tuple(settings.webhook_secrets(cls.name)),
        )
        return cls(settings, ground)

    # The port hands over more than this forge reads: its deliveries carry everything in their bytes.
    def authenticate(
        self, _headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        return authenticate(self._secrets, raw_headers, body)

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        return normalise(self._login, headers, body)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        return perform(self.ground, effect_id, effect, context)

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        files.export(self.ground, repository, revision, path, into)

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        return artefacts.reports(self.ground, repository, run)

    def missed(self, since: datetime) -> Iterable[Missed]:
        return missed(self._ground, since) if self._ground else ()

    def examine(self, repositories: Sequence[str]) -> Iterable[Finding]:
        return standing.examine(self._ground, self._webhook_url, repositories) if self._ground else [MUTE]

    def allowances(self) -> Iterable[Allowance]:
        """GitHub counts each installation, and GraphQL apart."""
        budgets = list(self._ground.client.budgets.items()) if self._ground else ()
        for key, budget in budgets:
            account, _, resource = key.rpartition("/")
            yield Allowance(account, resource, budget.limit, budget.remaining, budget.reset)

    def connect(self, repository: str, webhook_url: str) -> Iterable[Finding]:
        if self._ground is None:
            return [MUTE]
        return standing.connect(self._ground, repository, webhook_url)

    @property
    def ground(self) -> Ground:
        """Raises Permanent('NoAccount')."""
        if self._ground is None:
            raise Permanent("NoAccount", NO_ACCOUNT)
        return self._ground


def _access(settings: Settings) -> Access | None:
    """How GitHub is reached; None without an account. Raises Unusable."""
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    app_id, key_file = settings.github_app_id, settings.github_app_key_file
    if bool(app_id) != bool(key_file):
        raise Unusable(
            "POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_APP_KEY_FILE belong together: set both or none"
        )
    if app_id and token:
        raise Unusable("POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_TOKEN are two accounts: set one of them")
    if not app_id and not token:
        return None
    if not settings.github_api_url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise Unusable(
            "POINTSMAN_GITHUB_API_URL must begin with https://, or the token could be read on its way"
        )
    return Access(
        api_url=settings.github_api_url.rstrip("/"),
        app_id=app_id,
        app_key=_key(key_file) if key_file else "",
        token=token,
        ca_bundle=settings.ca_bundle,
        pause=settings.github_pause,
    )


def _key(path: Path) -> str:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"POINTSMAN_GITHUB_APP_KEY_FILE cannot be read: {type(error).__name__}") from None
    if "PRIVATE KEY-----" not in text:
        raise Unusable("POINTSMAN_GITHUB_APP_KEY_FILE holds no private key (PEM)")
    return text
