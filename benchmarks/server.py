"""The servers under test: `python -m benchmarks.server {bare|web|serve} URL PORT`. One uvicorn process each.

bare   the same HTTP stack and a group-committing insert of the same body under a unique id; no authentication
web    the bot's webhook door; nobody drains
serve  the bot's webhook door with drains running in the same process
"""

from __future__ import annotations

import sys
import threading
from asyncio import AbstractEventLoop, Future, get_running_loop
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from benchmarks.subject import BenchForge
from bot.app import settle
from bot.domain.decision import NOTHING
from bot.engine.runtime import Runtime
from bot.intake.webhook import webhook_router
from bot.log import Store
from bot.settings import Settings


def bot(url: str, *, work: bool) -> FastAPI:
    """The bot's door, with or without a worker behind it."""
    runtime = Runtime(
        Settings(database_url=url),
        forges={"local": BenchForge()},
        performers={},
        decide=lambda *_: NOTHING,
        work=work,
    )
    runtime.launch()
    app = FastAPI()
    app.include_router(webhook_router(runtime.inbox, runtime.forges, runtime.settings))
    return app


class BareWriter:
    """As plain as a durable group commit can be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[dict[str, Any], Future[None], AbstractEventLoop]] = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    async def store(self, delivery: str, body: bytes) -> None:
        """Returns after the commit."""
        loop = get_running_loop()
        future = loop.create_future()
        with self._arrived:
            self._waiting.append(({"d": delivery, "b": body}, future, loop))
            self._arrived.notify()
        await future

    def _run(self) -> None:
        insert = sa.text("INSERT INTO bare(delivery_id, body) VALUES (:d, :b) ON CONFLICT DO NOTHING")
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._waiting)
                group, self._waiting = self._waiting[:256], self._waiting[256:]
            with self._store.begin() as session:
                session.execute(insert, [row for row, _, _ in group])
            group[0][2].call_soon_threadsafe(
                lambda group=group: [future.set_result(None) for _, future, _ in group]
            )


def bare(url: str) -> FastAPI:
    """The baseline."""
    store = Store(url)
    with store.begin() as session:
        kind = (
            ("integer primary key autoincrement", "blob")
            if store.sqlite
            else ("bigserial primary key", "bytea")
        )
        session.execute(
            sa.text(
                f"CREATE TABLE IF NOT EXISTS bare"
                f"(seq {kind[0]}, delivery_id text UNIQUE NOT NULL, body {kind[1]})"
            )
        )
    writer = BareWriter(store)
    router = APIRouter()  # as the bot's, because a router inside an application is a part of the HTTP stack

    @router.post("/webhooks/{forge}", status_code=202)
    async def receive(forge: str, request: Request) -> Response:  # noqa: ARG001 - same path as the bot's
        body = b"".join([part async for part in request.stream()])
        await writer.store(request.headers["x-delivery"], body)
        return JSONResponse({"deliveryId": request.headers["x-delivery"]}, 202)

    app = FastAPI()
    app.include_router(router)
    return app


def main(kind: str, url: str, port: int) -> None:
    """Run until killed."""
    application = bare(url) if kind == "bare" else bot(url, work=kind == "serve")
    settle()  # as `serve` does, for both sides
    uvicorn.run(application, port=port, log_level="error", access_log=False, loop="uvloop", http="httptools")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
