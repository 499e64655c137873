"""The command line as a person calls it: in this process, with a home of its own; and against a bot that answers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from bot.cli import app
from tests.support.house import House, house
from tests.support.story import tell


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Pointsman = Callable[..., Said]


@pytest.fixture
def pointsman(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Pointsman]:
    """`pointsman("trace", "list")`. Nothing of the machine's own settings is seen."""
    for name in ("URL", "TOKEN", "DATABASE_URL", "DEBUG", "PORT"):
        monkeypatch.delenv(f"POINTSMAN_{name}", raising=False)
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str | Path) -> Said:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    before = os.umask(0o022)  # as on most machines; commands that may make the home narrow it
    yield call
    os.umask(before)


@pytest.fixture
def told(pointsman: Pointsman, tmp_path: Path) -> Iterator[House]:
    """A database in the home, with one trace that waits."""
    url = f"sqlite:///{tmp_path / 'home' / 'pointsman.db'}"
    with house(url) as home:
        tell(home.store)
        yield home


@pytest.fixture
def served(told: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The same, answering over HTTP; the command line holds ada's token."""
    with listening(told) as url:
        monkeypatch.setenv("POINTSMAN_URL", url)
        monkeypatch.setenv(
            "POINTSMAN_TOKEN", told.token("ada", scopes=("read", "command", "events:write", "admin"))
        )
        yield told


class listening:  # noqa: N801 - reads as a word in a with statement
    """A web server in a thread, on a free port."""

    def __init__(self, home: House) -> None:
        config = uvicorn.Config(
            home.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
