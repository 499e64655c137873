"""An embedded forge for tests: a server on a free port, people with tokens, and what its webhooks brought."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from bot.domain import effect as e
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.local import LocalForge, LocalSettings
from bot.forges.port import RepositoryFact, Unauthenticated
from bot.log.store import Store

SECRET = b"first-secret"
README = e.File(path="README.md", content="# Booking\n")
REPOSITORY = "demo/booking"


@dataclass
class Received:
    """One delivery, as the receiver saw it."""

    headers: dict[str, str]
    raw: list[tuple[bytes, bytes]]
    body: bytes


@dataclass
class Receiver:
    """The door the webhooks go to. `refuse` answers 503 to as many calls."""

    forge: LocalForge | None = None
    received: list[Received] = field(default_factory=list)
    refuse: int = 0

    async def take(self, request: Request) -> Response:
        assert self.forge is not None
        body = await request.body()
        try:
            self.forge.authenticate(request.headers, request.headers.raw, body)
        except Unauthenticated:
            return Response(status_code=401)
        if self.refuse > 0:
            self.refuse -= 1
            return Response(status_code=503)
        self.received.append(Received(dict(request.headers), request.headers.raw, body))
        return Response(status_code=202)


@contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """uvicorn in a thread, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=20)


@dataclass
class World:
    """One forge and everything around it."""

    forge: LocalForge
    store: Store
    home: Path
    url: str
    receiver: Receiver
    tokens: dict[str, str] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)

    def person(
        self, login: str, permission: str = "", *, admin: bool = False, repository: str = REPOSITORY
    ) -> str:
        """A user; `permission` in `repository`."""
        self.tokens[login] = self.forge.create_user(login, f"{login}@example.org", admin=admin)
        if permission:
            self.forge.set_member(repository, login, permission)  # type: ignore[arg-type]
        return self.tokens[login]

    def repository(self, name: str = REPOSITORY, *files: e.File, **options: Any) -> Path:
        """A repository with one commit."""
        return self.forge.create_repository(name, files=files or (README,), **options)

    def perform(self, effect: e.Effect, effect_id: str = "trace-1.000001.0") -> Model:
        """What a worker does."""
        context = EffectContext("acme", "trace-1", self.events.get)
        return self.forge.perform(effect_id, effect, context)

    def api(self, login: str) -> httpx.Client:
        """A client of the JSON API, signed in."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        return httpx.Client(base_url=f"{self.url}/forge/api", headers=headers, trust_env=False, timeout=30)

    def clone_url(self, login: str, repository: str = REPOSITORY) -> str:
        return f"{self.url.replace('://', f'://{login}:{self.tokens[login]}@')}/git/{repository}.git"

    def facts(self) -> list[RepositoryFact]:
        """Everything received, in our words."""
        return [
            fact for one in self.receiver.received for fact in self.forge.normalise(one.headers, one.body)
        ]

    def heard(self) -> list[tuple[str, str | None]]:
        """Type and actor of every fact received."""
        return [(fact.draft.type, fact.draft.actor) for fact in self.facts()]

    def until(self, holds: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait for something to hold."""
        return until(holds, seconds)


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for something to hold; its value."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)
    return value


def make(home: Path, url: str, base_url: str = "http://forge.test", **settings: Any) -> LocalForge:
    """A forge on an existing database, with nothing running."""
    said = {"tenant": "acme", "poll_s": 0.02} | settings
    return LocalForge(LocalSettings(home=home, base_url=base_url, secrets=(SECRET,), **said), Store(url))


@contextmanager
def opened(home: Path, url: str, *, start: bool = True, **settings: Any) -> Iterator[World]:
    """A served forge on an existing database; its threads run when `start`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        forge = make(home, url, base, **settings)
        receiver = Receiver(forge)
        app = FastAPI()
        app.include_router(forge.router())
        app.add_api_route("/webhooks/local", receiver.take, methods=["POST"])
        store = forge.ground.store
        assert isinstance(store, Store)
        with serving(app, listener):
            if start:
                forge.start()
            try:
                yield World(forge, store, home, base, receiver)
            finally:
                if start:
                    forge.close()
    store.close()


def git(
    *arguments: str, cwd: Path | None = None, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """The real git client, as a person without any configuration runs it."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd or "/nonexistent"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Jane",
        "GIT_AUTHOR_EMAIL": "jane@example.org",
        "GIT_COMMITTER_NAME": "Jane",
        "GIT_COMMITTER_EMAIL": "jane@example.org",
        "NO_PROXY": "*",
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert not check or done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done


def commit_all(folder: Path, files: dict[str, str | bytes], message: str) -> str:
    """Write files, commit them, give the sha."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "-m", message, cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder).stdout.strip()
