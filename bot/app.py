"""The only wiring: settings -> store -> engine -> forges -> FastAPI.

`serve` is web and worker in one process; `serve(web_only=True)` leaves the work to `work`, of which Postgres
takes any number.
The embedded forge's Git, pages, webhooks and pipeline runner live with the web; its effects wherever there is
a worker.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn
from fastapi import FastAPI

import bot
from bot import telemetry
from bot.api import problems, routes
from bot.audit.keys import KeyFile
from bot.audit.signer import Signer
from bot.deploy.performer import Deployer
from bot.deploy.services.watch import fallen_services
from bot.domain.event import Event
from bot.domain.performer import Performer
from bot.engine.runtime import Runtime
from bot.evidence.performer import Gatherer
from bot.evidence.read import Reader
from bot.forges import configured
from bot.forges.local.forge import LocalForge
from bot.forges.port import Forge
from bot.intake.events import events_router
from bot.intake.webhook import webhook_router
from bot.log.migrate import upgrade
from bot.log.replay import events
from bot.log.store import Store
from bot.memory.writer import MemoryWriter
from bot.metrics.page import metrics_router
from bot.settings import Settings
from bot.studio.pages import studio_router
from bot.trial.performer import PolicyTrier
from handlers.decide import decide, registry


@dataclass(frozen=True)
class House:
    """Everything of one process."""

    settings: Settings
    runtime: Runtime
    embedded: LocalForge
    listens_at: str = ""


def furnish(settings: Settings, *, work: bool, alone: bool, listens_at: str = "") -> House:
    """Put the parts together; nothing runs yet. `listens_at` is where webhooks go, else to `base_url`.

    Raises what a database that can not be reached raises, and KeyUnusable.
    """
    registry()  # a handler that is declared twice stops the start, not the first comment
    upgrade(settings.database)
    store = Store(
        settings.database
    )  # the embedded forge's own connections: its waits never hold up the engine's
    forges = configured(settings, store)
    memory = MemoryWriter(settings.home, lambda tenant, trace: _events(store, tenant, trace))
    performers: dict[str, Performer] = {
        **forges,
        "deploy": Deployer(settings.home, forges),
        "memory": memory,
        "evidence": Gatherer(forges, Reader(settings.sigstore_trusted_root), store),
        "policy": PolicyTrier(forges, store),
    }
    if settings.attestation_key is not None:
        performers["signer"] = Signer(KeyFile.read(settings.attestation_key))
    runtime = Runtime(
        settings,
        forges=forges,
        performers=performers,
        decide=decide,
        work=work,
        alone=alone,
        observe=partial(fallen_services, settings.home),
    )
    return House(settings, runtime, _embedded(forges), listens_at)


def _embedded(forges: Mapping[str, Forge]) -> LocalForge:
    forge = forges[LocalForge.name]
    assert isinstance(forge, LocalForge)
    return forge


def _events(store: Store, tenant: str, trace: str) -> list[Event]:
    with store.read() as session:
        return events(session, tenant, trace)


@contextmanager
def living(house: House, *, web: bool) -> Iterator[House]:
    """Started, and ended in the opposite order whatever happens."""
    house.runtime.launch()
    try:
        if web:
            house.embedded.start(f"{house.listens_at}/webhooks/local" if house.listens_at else "")
        yield house
    finally:
        if web:
            house.embedded.close()
        house.runtime.close()


def application(house: House, *, embedded: bool) -> FastAPI:
    """The web application of a house that lives as long as the application."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with living(house, web=embedded):
            _mount(app, house, embedded=embedded)
            yield

    app = FastAPI(
        title="Pointsman", version=bot.__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    problems.install(app)
    return app


def _mount(app: FastAPI, house: House, *, embedded: bool) -> None:
    runtime, settings = house.runtime, house.settings
    doors = {name: forge for name, forge in runtime.forges.items() if embedded or name != house.embedded.name}
    app.include_router(webhook_router(runtime.inbox, doors, settings))
    app.include_router(events_router(runtime.store, runtime.inbox, settings))
    app.include_router(routes.router(routes.Services(runtime)))
    app.include_router(metrics_router(runtime.store, runtime.forges))
    if embedded:
        app.include_router(house.embedded.router())
    app.include_router(studio_router(routes.Services(runtime)))


SECRET_VARIABLE = re.compile(r"POINTSMAN_(\w*(SECRET|TOKEN|PASSWORD|KEY)\w*|DATABASE_URL)")
PR_SET_DUMPABLE = 4


def keep_secrets() -> None:
    """Hide the secrets this process was told from those it starts, once they are read.

    Jobs of pipelines run what others wrote, as the same user. What we start inherits no secret variable; but
    what we were started with stays in `/proc/<pid>/environ` however `os.environ` changes, and so does our
    memory in `/proc/<pid>/mem`. A process that is not dumpable keeps both from its own user. Programs we
    start are dumpable again. A job that runs as root is not stopped by this: nothing stops it.
    """
    for name in [name for name in os.environ if SECRET_VARIABLE.fullmatch(name)]:
        del os.environ[name]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def settle() -> None:
    """Spare the garbage collector what the start made: it lives as long as the process does.

    A full collection looks at every object. With the start's 150,000 among them it took 100 to 300 ms, twice
    a second under load, and all senders waited for it.
    """
    gc.collect()
    gc.freeze()


Announce = Callable[[dict[str, object]], None]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve(settings: Settings, host: str, port: int, announce: Announce, *, web_only: bool = False) -> None:
    """Run until told to stop; `announce` is told once, when it listens. Raises CannotListen.

    The embedded forge runs the commands of whoever may push to it, so it is there on loopback only.
    """
    bound = _bound(host, port)  # first: a second bot must not touch the work of the one that has the port
    url = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
    telemetry.configure(settings.log_level)
    keep_secrets()
    house = furnish(settings, work=not web_only, alone=True, listens_at=url)
    app = application(house, embedded=host in LOOPBACK)
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=5
    )
    _Announced(config, lambda: announce({"ready": True, "url": url})).run([bound])


class CannotListen(Exception):
    """The address can not be had. `taken`: somebody else listens there."""

    def __init__(self, error: OSError) -> None:
        # The system's own words: Python adds the address, which whoever says this knows better.
        code = error.errno or 0
        known = os.strerror(code) if code in errno.errorcode else error.strerror
        super().__init__(known or str(error))
        self.taken = error.errno == errno.EADDRINUSE


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotListen(error) from error


class _Announced(uvicorn.Server):
    """Settles, and says that it listens, once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            settle()
            self._announce()


def work(settings: Settings, announce: Announce) -> None:
    """Drain, perform and fire until told to stop, beside a `serve`."""
    telemetry.configure(settings.log_level)
    keep_secrets()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with living(furnish(settings, work=True, alone=False), web=False):
        settle()
        announce({"ready": True, "worker": True})
        stop.wait()
