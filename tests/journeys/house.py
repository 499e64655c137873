"""A whole bot for tests: real processes, database, embedded forge, runner and deployed services.

with living(home, database) as house:               # `pointsman serve` on a free port
    house.repository("acme/clock", policy=APPROVED)
    trace = house.submit("acme/clock", "clock", modules.files())
    house.event(trace, "TestsPassed")                # waits for a minute at most

Every house is searched at its end: no secret of its may be in any file, row, Git object, log or answer.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

from bot.demo import processes
from bot.demo.place import _free_port as free_port
from bot.deploy.services import census
from bot.domain.effect import File
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.forges.local import LocalForge
from bot.forges.local.people import Permission
from bot.intake import tokens
from bot.log import Store, events, load, upgrade
from bot.log.tables import HEADS, INBOX
from bot.settings import Settings
from tests.journeys import modules
from tests.journeys.rules import AUTOMATIC, PEOPLE
from tests.journeys.search import leaks

PATIENCE = 60.0
TENANT = "default"
Found = TypeVar("Found")


@dataclass
class House:
    """Everything a test may use. `hidden` are the values that must be nowhere."""

    home: Path
    url: str
    environment: dict[str, str] = field(repr=False)
    store: Store
    forge: LocalForge
    http: httpx.Client
    running: dict[str, processes.Process] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    hidden: list[str] = field(default_factory=list, repr=False)
    heard: list[bytes] = field(default_factory=list, repr=False)

    # -- processes -----------------------------------------------------------------------------------------

    def start(self, name: str, *arguments: str) -> processes.Process:
        """`pointsman ARGUMENTS`, ready."""
        self.running[name] = processes.start(name, list(arguments), self.environment, self.home)
        return self.running[name]

    def serve(self, *options: str) -> processes.Process:
        """The web process."""
        return self.start("web", "serve", "--port", self.url.rpartition(":")[2], *options)

    def said(self, process: str) -> bytes:
        """What a process has logged."""
        return (self.home / "logs" / f"{process}.log").read_bytes()

    def cli(self, *arguments: str, login: str = "ada") -> subprocess.CompletedProcess[str]:
        """A command as this person."""
        mine = {"POINTSMAN_URL": self.url, "POINTSMAN_TOKEN": self.token(login)}
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=self.environment | mine, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        self.heard += [done.stdout.encode(), done.stderr.encode()]
        return done

    # -- people and repositories ---------------------------------------------------------------------------

    def token(self, login: str, scopes: tuple[str, ...] = tokens.DEFAULT_SCOPES) -> str:
        """An API token; made once per person."""
        if login not in self.keys:
            with self.store.begin() as session:
                self.keys[login] = tokens.create(session, tenant=TENANT, actor=login, scopes=scopes)
            self.hidden.append(self.keys[login])
        return self.keys[login]

    def repository(self, name: str, policy: str = AUTOMATIC, **files: str) -> Path:
        """A repository in which everybody may write. Returns the bare one's folder."""
        said = {".pointsman/policy.yaml": policy, "README.md": f"# {name}\n"} | files
        made = self.forge.create_repository(
            name, files=tuple(File(path=p, content=c) for p, c in said.items())
        )
        for login in self.people:
            write: Permission = "write"
            self.forge.set_member(name, login, write)
        return made

    def clone(self, repository: str, login: str, into: Path) -> Path:
        """A work tree of this person's."""
        remote = self.url.replace("://", f"://{login}:{self.people[login]}@")
        git(into.parent, "clone", "-q", f"{remote}/git/{repository}.git", into.name)
        git(into, "config", "user.name", login)
        git(into, "config", "user.email", f"{login}@example.org")
        return into

    def say(self, method: str, path: str, login: str = "ada", **more: Any) -> httpx.Response:
        """One call of the bot's API."""
        return self._call(method, path, self.token(login), more)

    def forge_answers(self, method: str, path: str, login: str = "ada", **more: Any) -> httpx.Response:
        """The same, whatever comes of it."""
        return self._call(method, f"/forge/api/repositories/{path}", self.people[login], more)

    def forge_says(self, method: str, path: str, login: str = "ada", **more: Any) -> Any:
        """One call of the embedded forge's API (below `/forge/api/repositories/`), which must succeed."""
        answer = self.forge_answers(method, path, login, **more)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json()

    def _call(self, method: str, path: str, token: str, more: dict[str, Any]) -> httpx.Response:
        answer = self.http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)
        self.heard.append(answer.content)
        return answer

    def submit(
        self, repository: str, module: str, files: list[dict[str, Any]], login: str = "ada", **more: Any
    ) -> str:
        """Generated code by the API. Returns the trace's id."""
        answer = self.say("POST", "/v1/modules", login, json=submission(repository, module, files, **more))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["traceId"])

    def comment(self, repository: str, change: int, body: str, login: str = "ada") -> str:
        """A comment on a change. Returns its id."""
        return str(
            self.forge_says("POST", f"{repository}/changes/{change}/comments", login, json={"body": body})[
                "id"
            ]
        )

    # -- looking -------------------------------------------------------------------------------------------

    def log(self, trace: str) -> list[Event]:
        """A trace's events so far."""
        with self.store.read() as session:
            return events(session, TENANT, trace)

    def types(self, trace: str, *only: str) -> list[str]:
        """What happened, in order."""
        return [event.type for event in self.log(trace) if not only or event.type in only]

    def state(self, trace: str) -> TraceState:
        """Where a trace stands."""
        with self.store.read() as session:
            return load(session, TENANT, trace)

    def traces(self, **where: str) -> list[str]:
        """Traces whose head row has these values."""
        query = sa.select(HEADS.c.trace_id).where(*(HEADS.c[name] == value for name, value in where.items()))
        with self.store.read() as session:
            return sorted(session.execute(query).scalars())

    def told(self, type_: str, **data: Any) -> Event | None:
        """An event of this type with these values, whatever its trace."""
        every = (event for trace in self.traces() for event in self.log(trace))
        return next((event for event in every if _is(event, type_, data)), None)

    def inbox(self, source: str) -> int:
        """Rows that ever came in from there."""
        query = sa.select(sa.func.count()).select_from(INBOX).where(INBOX.c.source == source)
        with self.store.read() as session:
            return int(session.execute(query).scalar_one())

    def stored(self, delivery: str) -> bool:
        """Whether a delivery of this id ever came in."""
        query = sa.select(INBOX.c.seq).where(INBOX.c.delivery_id == delivery)
        with self.store.read() as session:
            return session.execute(query).first() is not None

    def event(
        self, trace: str, type_: str, *, after: int = 0, within: float = PATIENCE, **data: Any
    ) -> Event:
        """Wait for an event of this type with these values."""

        def look() -> Event | None:
            return next(
                (event for event in self.log(trace) if event.sequence > after and _is(event, type_, data)),
                None,
            )

        try:
            return self.wait(look, f"{type_} {data or ''}", within)
        except AssertionError as error:
            told = "\n".join(f"{e.sequence:4} {e.type} {str(e.data)[:200]}" for e in self.log(trace)[-12:])
            raise AssertionError(f"{error} in {trace}; it has\n{told}") from None

    def wait(self, look: Callable[[], Found | None], what: str, within: float = PATIENCE) -> Found:
        """Look ten times a second until there is something."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.1)
        raise AssertionError(f"waited {within:.0f} s in vain for {what}")

    def tested(self, trace: str, *, after: int = 0) -> Event:
        """Wait until the pipeline of the newest revision has passed."""
        ready = self.event(trace, "PipelineReady", after=after)
        return self.event(trace, "TestsPassed", revision=ready.data["revision"], after=after)

    def answers(self, url: str) -> str:
        """The version that a deployed service says it is."""
        return str(httpx.get(url, timeout=10, trust_env=False).json()["version"])


def submission(repository: str, module: str, files: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The body of `POST /v1/modules`."""
    said = {"repository": repository, "moduleId": module, "version": "1.0.0", "path": f"services/{module}"}
    service = {"command": list(modules.COMMAND), "startupTimeoutS": 240}
    return said | {"files": files, "changelog": ["Tell the time"], "service": service} | more


def _is(event: Event, type_: str, data: dict[str, Any]) -> bool:
    return event.type == type_ and all(event.data.get(name) == value for name, value in data.items())


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git; what it printed, and what it complained about when it may fail."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, env=clean, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip() if check else done.stdout + done.stderr


def surroundings(home: Path, database: str, port: int) -> tuple[dict[str, str], list[str]]:
    """The environment of the house's processes, and what of it must be nowhere."""
    webhook, foreign = secrets.token_urlsafe(32), f"canary-{secrets.token_hex(16)}"
    mine = {
        "POINTSMAN_HOME": str(home),
        "POINTSMAN_DATABASE_URL": database,
        "POINTSMAN_BASE_URL": f"http://127.0.0.1:{port}",
        "POINTSMAN_PORT": str(port),
        "POINTSMAN_LOCAL_WEBHOOK_SECRET": webhook,
        "POINTSMAN_RETRY_SCHEDULE": "0,0.3,1",
        "AWS_SECRET_ACCESS_KEY": foreign,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    return inherited | mine, [webhook, foreign]


@contextmanager
def living(home: Path, database: str = "", *, start: bool = True, **more: str) -> Iterator[House]:
    """A house, serving unless `start` is False; `more` are settings (`shards="1"`). Searched at its end."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    database = database or f"sqlite:///{home / 'pointsman.db'}"
    environment, hidden = surroundings(home, database, port)
    environment |= {f"POINTSMAN_{name.upper()}": value for name, value in more.items()}
    upgrade(database)
    store = Store(database)
    url = environment["POINTSMAN_BASE_URL"]
    secret = SecretStr(environment["POINTSMAN_LOCAL_WEBHOOK_SECRET"])
    forge = LocalForge(
        Settings(home=home, database_url=database, base_url=url, local_webhook_secret=secret), store
    )
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        house = House(home, url, environment, store, forge, http, hidden=hidden)
        for login in PEOPLE:
            house.people[login] = forge.create_user(login, f"{login}@example.org")
            house.hidden.append(house.people[login])
        try:
            if start:
                house.serve()
            yield house
        finally:
            for process in reversed(house.running.values()):
                process.stop()
            census.stop_all(home, grace_s=1)
        try:
            found = leaks(home, database, house.heard, house.hidden)
        finally:
            store.close()
            shutil.rmtree(home, ignore_errors=True)
        assert not found, f"secrets of the house are in {found}"
