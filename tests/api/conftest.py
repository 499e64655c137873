"""A bot that only takes things in, on SQLite, one per test file; one trace of tenant acme is told already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.house import House, house
from tests.support.story import tell


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('home')}/pointsman.db") as made:
        tell(made.store)
        yield made
