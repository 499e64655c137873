"""Embedded forges on fresh databases: `world` on SQLite, `any_world` on SQLite and on Postgres."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.log import upgrade
from tests.forges.world import World, opened
from tests.support import postgres


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables, to be copied: migrating anew for each test would be most of its time."""
    path = tmp_path_factory.mktemp("migrated") / "pointsman.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_sqlite(migrated_file: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "pointsman.db")
    return f"sqlite:///{tmp_path}/pointsman.db"


@pytest.fixture(scope="session")
def migrated_template(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.database() as url:
        upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def migrated_postgres(postgres_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with postgres_server.database(template=migrated_template) as url:
        yield url


@pytest.fixture
def world(migrated_sqlite: str, tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path / "home", migrated_sqlite) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path / "home", request.getfixturevalue(f"migrated_{request.param}")) as made:
        yield made
