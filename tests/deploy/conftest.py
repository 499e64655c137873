from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.deploy.process import stop_all
from tests.deploy.ground import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path / "home")
    yield made
    stop_all(made.home, grace_s=0.2)
