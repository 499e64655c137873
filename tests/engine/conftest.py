"""Databases that are up to date already: migrating is tested elsewhere, and takes most of a short test's time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.engine.prepare import prepare
from bot.settings import Settings
from tests.support import postgres

SHARDS = Settings().shards


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database to copy. Closing its last connection has folded its WAL into the one file."""
    path = tmp_path_factory.mktemp("prepared") / "pointsman.db"
    prepare(f"sqlite:///{path}", SHARDS)
    return path


@pytest.fixture(scope="session")
def prepared_name(postgres_server: postgres.Server) -> Iterator[str]:
    """The name of a Postgres database to use as a template."""
    with postgres_server.database() as url:
        prepare(url, SHARDS)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def sqlite_url(prepared_file: Path, tmp_path: Path) -> str:
    shutil.copy(prepared_file, tmp_path / "pointsman.db")
    return f"sqlite:///{tmp_path}/pointsman.db"


@pytest.fixture
def postgres_url(postgres_server: postgres.Server, prepared_name: str) -> Iterator[str]:
    with postgres_server.database(prepared_name) as url:
        yield url
