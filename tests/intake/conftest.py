"""The doors of a web process over a real database, and what they have stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.engine.runtime import Runtime
from bot.intake import tokens
from bot.intake.events import events_router
from bot.intake.webhook import webhook_router
from tests.engine.rig import count, running

CAP = 20_000


@dataclass
class Door:
    """A client, the runtime behind it, and tokens."""

    runtime: Runtime
    client: TestClient

    def stored(self) -> int:
        return count(self.runtime.store, "inbox")

    def token(self, *scopes: str, tenant: str = "acme", actor: str = "agent-1", **more: Any) -> str:
        with self.runtime.store.begin() as session:
            return tokens.create(
                session, tenant=tenant, actor=actor, scopes=scopes or ("events:write",), **more
            )

    def bearer(self, *scopes: str, **more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*scopes, **more)}"}


def doors(runtime: Runtime) -> FastAPI:
    app = FastAPI()
    app.include_router(webhook_router(runtime.inbox, runtime.forges, runtime.settings))
    app.include_router(events_router(runtime.store, runtime.inbox, runtime.settings))
    return app


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def waiting_runtime(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """A web process whose inbox nobody drains: what is in it stays there to be looked at."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('door')}/pointsman.db"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres_server").database())
        yield stack.enter_context(running(url, work=False, body_cap=CAP))


@pytest.fixture
def door(waiting_runtime: Runtime) -> Iterator[Door]:
    with waiting_runtime.store.begin() as session:
        session.execute(sa.text("DELETE FROM inbox"))
    with TestClient(doors(waiting_runtime)) as client:
        yield Door(waiting_runtime, client)


@pytest.fixture
def working_door(database_url: str) -> Iterator[Door]:
    with running(database_url, body_cap=CAP) as runtime, TestClient(doors(runtime)) as client:
        yield Door(runtime, client)
