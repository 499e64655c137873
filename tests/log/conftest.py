"""A database with our tables, on each of the two kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.log import Store, upgrade


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    made = Store(database_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    upgrade(sqlite_url)
    made = Store(sqlite_url)
    yield made
    made.close()
