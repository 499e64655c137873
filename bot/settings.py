"""Settings from the environment.

`POINTSMAN_HOME`, `POINTSMAN_DATABASE_URL`, `POINTSMAN_GITHUB_WEBHOOK_SECRET=new,old`, ...

Every field has a default that works on one machine with nothing configured. Secrets never show in a repr or a
log.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot import kept_settings

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """What a process is told from outside. Lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="POINTSMAN_", extra="ignore", frozen=True)

    home: Path = Path(".pointsman-home")
    """Folder of the database, the embedded forge's repositories, logs and keys."""
    database_url: str = ""
    """`sqlite:///FILE` or `postgresql://...`; empty: SQLite inside `home`."""
    tenant: str = "default"
    """Tenant of webhook deliveries; everything else takes it from its token."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    base_url: str = "http://127.0.0.1:8080"
    """What links in comments and checks begin with."""
    body_cap: int = Field(default=MEBIBYTE, gt=0)
    """Largest request body in bytes; anything longer is refused before it is read to its end."""
    shards: int = Field(default=16, ge=1, le=256)
    """Lanes that traces are spread over. Fixed for the life of a database: `Store` refuses another number."""
    retry_schedule: Annotated[tuple[float, ...], NoDecode] = (0.0, 5.0, 15.0, 60.0)
    """Seconds before each attempt at an effect; after the last one a person is asked."""
    lease_seconds: float = Field(default=3.0, gt=0)
    """A process that has not renewed its lease for so long is dead, and another takes its work over."""
    drain_workers: int = Field(default=8, ge=1)
    effect_workers: int = Field(default=8, ge=1)
    """Effects of one target (a forge, `deploy`, `memory`) that run at the same time in one process."""
    reconcile_minutes: float = Field(default=15.0, gt=0)
    """How long an open change may be quiet before the forge is asked again whether anything was missed."""
    retention_hours: float = Field(default=72.0, gt=0)
    """How long the records of finished work stay in the queue's tables. The event log stays for ever."""
    worker_pause: float = Field(default=0.03, ge=0)
    """Seconds a separate worker on SQLite waits between transactions.

    So that `serve` can take its write lock.
    """
    log_level: str = "INFO"
    create_repositories_in: Annotated[tuple[str, ...], NoDecode] = ()
    """Where a submission may have its repository made: `forge:owner`, such as `github:acme`."""

    github_webhook_secret: SecretStr | None = None
    gitlab_webhook_secret: SecretStr | None = None
    azure_webhook_secret: SecretStr | None = None
    local_webhook_secret: SecretStr | None = None

    github_app_id: str = ""
    """Number of the GitHub App the bot is. A forge without an account of the bot's is not there."""
    github_app_key_file: Path | None = None
    """The App's private key (PEM)."""
    github_token: SecretStr | None = None
    """A personal token instead of an App, for a trial."""
    github_login: str = "pointsman[bot]"
    """The bot's own name on GitHub: `<app>[bot]`, or the user of the token."""
    github_api_url: str = "https://api.github.com"
    """GitHub Enterprise Server: `https://ghes.example.org/api/v3`."""
    github_pause: float = Field(default=1.0, ge=0)
    """Seconds between two writes of a process to GitHub, as GitHub asks for."""
    gitlab_token: SecretStr | None = None
    """Access token of a group, project or user, with the scope `api`."""
    gitlab_auth: Literal["private", "oauth"] = "private"
    gitlab_login: str = ""
    """The bot's own user name on GitLab. No default: whoever has the name is taken for the bot."""
    gitlab_url: str = "https://gitlab.com"
    azure_url: str = ""
    """The organisation: `https://dev.azure.com/ORG`, or a collection of a server."""
    azure_token: SecretStr | None = None
    """A personal access token; without it an Entra workload identity is used (`AZURE_CLIENT_ID`, ...)."""
    azure_login: str = ""
    """The bot's own unique name on Azure DevOps (often an e-mail address)."""
    attestation_key: Path | None = None
    """File with an Ed25519 private key (PEM) that release summaries are signed with; without it none is."""
    sigstore_trusted_root: Path | None = None
    """Trust root of a private Sigstore instance (`trusted_root.json`); without it the public one counts."""
    ca_bundle: Path | None = None
    """Certificates (PEM) of forges that public authorities do not vouch for. Proxies: `HTTPS_PROXY`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature; ours knows its file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then what the home keeps (bot.kept_settings)."""
        said = {**env_settings(), **init_settings()}
        home = Path(said.get("home") or cls.model_fields["home"].default)
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, kept_settings.place(home))

    @field_validator("retry_schedule", "create_repositories_in", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        parts = value.split(",") if isinstance(value, str) else ()
        return tuple(part.strip() for part in parts if part.strip()) if isinstance(value, str) else value

    @field_validator("create_repositories_in")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            forge, _, owner = place.partition(":")
            if not forge or not owner:
                raise ValueError(f"{place!r} is not forge:owner, such as github:acme")
        return value

    @field_validator("retry_schedule")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or any(delay < 0 for delay in value):
            raise ValueError("must be one or more delays in seconds, none negative")
        return value

    @property
    def database(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'pointsman.db'}"

    def webhook_secrets(self, forge: str) -> tuple[bytes, ...]:
        """All secrets that a forge's signature may be made with; empty when none is set."""
        secret: SecretStr | None = getattr(self, f"{forge}_webhook_secret", None)
        parts = secret.get_secret_value().split(",") if secret else []
        return tuple(part.strip().encode() for part in parts if part.strip())


def keep_private(home: Path) -> None:
    """Make the home its owner's alone, with all that this process will write: keys and tokens lie in it.

    A folder that already holds something keeps its own mode: it may be more than a home.
    """
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    if not any(home.iterdir()):
        home.chmod(0o700)
