"""What every part of the embedded forge stands on: its database, its folders, its own account, its clock."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import quote

from sqlalchemy.orm import Session

from bot.domain.model import rfc3339

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
RESERVED = {"api", "sign-in", "sign-out", "style.css"}
"""Names below `/forge` that are no owner of repositories."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class ProcessSettings(Protocol):
    """The part of `bot.settings.Settings` that the forge reads."""

    @property
    def home(self) -> Path: ...

    @property
    def base_url(self) -> str: ...

    @property
    def tenant(self) -> str: ...

    def webhook_secrets(self, forge: str) -> tuple[bytes, ...]: ...


@dataclass(frozen=True)
class LocalSettings:
    """What the embedded forge is told. Of `secrets` the first signs its webhooks; all verify."""

    home: Path
    base_url: str = "http://127.0.0.1:8080"
    secrets: tuple[bytes, ...] = ()
    tenant: str = "default"
    """The only one whose effects are done here."""
    bot_login: str = "pointsman[bot]"
    bot_email: str = "bot@pointsman.invalid"
    push_limit: int = 256 * 1024 * 1024
    """Largest request body of a push, in bytes."""
    poll_s: float = 0.1
    runners: int = 2
    """Pipelines that run at the same time."""

    @classmethod
    def of(cls, settings: ProcessSettings) -> LocalSettings:
        """From the process's settings. Without a configured secret, one of our own is kept in `home`."""
        home = settings.home.absolute() / "forge"
        secrets_ = settings.webhook_secrets("local") or (kept_once(home / "webhook-secret", _random()),)
        return cls(
            home=home, base_url=settings.base_url.rstrip("/"), secrets=secrets_, tenant=settings.tenant
        )


def _random() -> bytes:
    return secrets.token_urlsafe(32).encode()


def kept_once(path: Path, content: bytes) -> bytes:
    """What the file holds, after writing `content` if there was none. Two writers agree on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with TemporaryDirectory(dir=path.parent) as folder:
            written = Path(folder) / path.name
            written.touch(mode=0o600)
            written.write_bytes(content)
            with suppress(FileExistsError):
                os.link(written, path)  # appears whole, or not at all
    return path.read_bytes()


class Missing(Exception):
    """What was asked for is not there, or not for the one who asks."""


class Sessions(Protocol):
    """The part of `bot.log.Store` that the forge uses: write transactions in turn, reads beside them."""

    def begin(self) -> AbstractContextManager[Session]: ...

    def read(self) -> AbstractContextManager[Session]: ...


@dataclass(frozen=True)
class Ground:
    """Shared by all parts; holds no state of its own."""

    store: Sessions
    settings: LocalSettings
    now: Callable[[], datetime] = field(default=utc_now)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction; rows stay readable after it. Run no git inside: on SQLite it holds everybody up."""
        with self.store.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A look at the tables that waits for nobody."""
        with self.store.read() as session:
            session.expire_on_commit = False
            yield session

    def moment(self) -> str:
        """Now, as the tables keep it."""
        return rfc3339(self.now())

    def folder(self, repository: str) -> Path:
        """The bare repository; the only way from a name to a path. Raises Missing for no name."""
        owner = repository.partition("/")[0]
        if (
            not NAME.fullmatch(repository)
            or owner in RESERVED
            or repository.endswith(".git")
            or ".." in repository
        ):
            raise Missing(f"{repository!r} is no repository name")
        return self.settings.home / "repositories" / f"{repository}.git"

    def change_url(self, repository: str, number: int) -> str:
        """The page of a change."""
        return f"{self.settings.base_url}/forge/{repository}/changes/{number}"

    def repository_url(self, repository: str) -> str:
        """The page of a repository."""
        return f"{self.settings.base_url}/forge/{repository}"

    def issue_url(self, repository: str, number: int) -> str:
        """The page of an issue."""
        return f"{self.repository_url(repository)}/issues/{number}"

    def release_url(self, repository: str, tag: str) -> str:
        """Where the page of a release shows this one."""
        return f"{self.repository_url(repository)}/releases#{quote(tag, safe='')}"

    def pipeline_url(self, repository: str, pipeline: int | None) -> str:
        """The page of a pipeline run."""
        return f"{self.settings.base_url}/forge/{repository}/pipelines/{pipeline}"

    def log_folder(self, pipeline: int | None) -> Path:
        """Where the logs of a pipeline run are kept."""
        return self.settings.home / "pipelines" / str(pipeline)
