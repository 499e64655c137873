"""A bot in one process for tests of its doors.

The real store, inbox and engine, no forge, and tokens for people.

with house(url) as home:
    home.http("ada").get("/v1/traces")            # as ada of tenant acme
    home.http("eve", tenant="other")              # somebody else's
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.api import problems, routes
from bot.domain.decision import NOTHING, Decision
from bot.domain.event import Event
from bot.domain.performer import Performer
from bot.domain.view import View
from bot.engine.prepare import prepare
from bot.engine.runtime import Runtime
from bot.intake import tokens
from bot.intake.events import events_router
from bot.log import Store
from bot.settings import Settings
from bot.studio.pages import studio_router
from tests.engine.rig import TestForge

SCOPES = ("read", "command", "events:write")


def nothing(_event: Event, _view: View) -> Decision:
    return NOTHING


@dataclass(frozen=True)
class House:
    """What a test may touch."""

    runtime: Runtime
    app: FastAPI

    @property
    def store(self) -> Store:
        return self.runtime.store

    def token(self, login: str = "ada", tenant: str = "acme", scopes: tuple[str, ...] = SCOPES) -> str:
        with self.store.begin() as session:
            return tokens.create(session, tenant=tenant, actor=login, scopes=scopes)

    def http(
        self, login: str = "ada", *, tenant: str = "acme", scopes: tuple[str, ...] = SCOPES
    ) -> TestClient:
        """A client with a token of its own."""
        headers = {"Authorization": f"Bearer {self.token(login, tenant, scopes)}"}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    def anybody(self) -> TestClient:
        """A client without a token."""
        return TestClient(self.app, raise_server_exceptions=False)


def application(runtime: Runtime) -> FastAPI:
    """The doors as `bot.app` mounts them."""
    app = FastAPI(title="Pointsman", version="1", docs_url=None, redoc_url=None)
    problems.install(app)
    services = routes.Services(runtime)
    app.include_router(events_router(runtime.store, runtime.inbox, runtime.settings))
    app.include_router(routes.router(services))
    app.include_router(studio_router(services))
    return app


@cache
def _template() -> Path:
    """A database with all tables, made once per process: making them takes longer than most tests."""
    folder = tempfile.mkdtemp(prefix="pointsman-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    prepare(f"sqlite:///{folder}/pointsman.db", Settings().shards)
    return Path(folder) / "pointsman.db"


def _copied(url: str) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_template(), file)


@contextmanager
def house(
    url: str,
    decide: Callable[[Event, View], Decision] = nothing,
    *,
    performers: Mapping[str, Performer] | None = None,
    work: bool = False,
    **settings: Any,
) -> Iterator[House]:
    """A launched bot. Without `work` it only takes things in."""
    _copied(url)
    said = {"database_url": url, "tenant": "acme", "retry_schedule": (0.0, 0.05)} | settings
    runtime = Runtime(
        Settings(**said), forges={"local": TestForge()}, performers=performers or {}, decide=decide, work=work
    )
    try:
        runtime.launch()
        yield House(runtime, application(runtime))
    finally:
        runtime.close()


def wait_for(look: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
