"""One house per test module: starting one takes longer than most journeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.house import House, living
from tests.support import postgres


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """`pointsman serve` on SQLite."""
    with living(tmp_path_factory.mktemp("house") / "home") as made:
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def either_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """`pointsman serve` on each of the databases."""
    home: Path = tmp_path_factory.mktemp("house") / "home"
    if request.param == "sqlite":
        with living(home) as made:
            yield made
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.database() as url, living(home, url) as made:
        yield made
