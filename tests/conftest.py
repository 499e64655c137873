"""Databases for tests: `sqlite_url`, `postgres_url`, and `database_url`, which runs a test on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database file that does not exist yet."""
    return f"sqlite:///{tmp_path}/pointsman.db"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server per test process, started when the first test asks."""
    with postgres.server(*postgres.FORGETFUL) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each of the databases we support, empty."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", default=6, type=int, help="kill -9 so often in tests/engine/test_chaos.py")
    parser.addoption(
        "--comments", default=2000, type=int, help="so many comments in tests/commands/test_many_comments.py"
    )
