"""One stand-in with everything around it, and people who act on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot.forges.local.git import ZERO
from tests.forges.gitlab.fake import (
    api_changes,
    api_people,
    api_planning,
    api_projects,
    api_repository,
    api_runs,
)
from tests.forges.gitlab.fake.deeds import Deeds, person
from tests.forges.gitlab.fake.git import Repo
from tests.forges.gitlab.fake.sender import Sender
from tests.forges.gitlab.fake.server import Server
from tests.forges.gitlab.fake.state import LEVELS, Change, Hook, Project, State, Token, User

__all__ = [
    "World",
    "api_changes",
    "api_people",
    "api_planning",
    "api_projects",
    "api_repository",
    "api_runs",
    "opened",
    "receiving",
]

REPOSITORY = "acme/platform/booking"
BOT_LOGIN = "release-bot"
TOKEN = "glpat-canary-Zx81TokenNobodyMaySee"
SIGNING = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
README = {"README.md": "# Booking\n"}


@dataclass
class Received:
    headers: dict[str, str]
    raw: list[tuple[bytes, bytes]]
    body: bytes


@contextmanager
def receiving() -> Iterator[tuple[str, list[Received]]]:
    """A door for webhook calls; its address, and what came in."""
    received: list[Received] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            raw = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            received.append(Received({name.decode(): value.decode() for name, value in raw}, raw, body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/webhooks/gitlab", received
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class World:
    """One GitLab with one project, `README.md` on its main, which only changes may touch."""

    state: State
    deeds: Deeds
    server: Server
    bot: User
    owner: User
    project: Project
    received: list[Received] = field(default_factory=list)

    def person(self, login: str, permission: str, teams: tuple[str, ...] = ()) -> User:
        user = self.state.make_user(login)
        if permission != "none":
            self.project.members[user.id] = LEVELS[permission]
        for team in teams:
            self.state.make_group(team).members[user.id] = LEVELS["write"]
        return user

    def role(self, level: int) -> None:
        """The bot's own, in the group and so in the project."""
        self.project.members[self.bot.id] = level
        self.state.groups["acme/platform"].members[self.bot.id] = level

    def commit(self, by: User, branch: str, files: dict[str, str | None], message: str) -> str:
        """Somebody commits and pushes; what protects the branch is not asked."""
        repo = self.project.repo
        with self.state.lock:
            head = repo.head(branch)
            start = head or repo.head(self.project.default_branch)
            with repo.index(start) as index:
                for path, content in files.items():
                    if content is None:
                        index.remove(path)
                    else:
                        index.put(path, content.encode(), "100644")
                tree = index.tree()
            sha = repo.write(tree, [start] if start else [], message, person(by))
            self.deeds.move(self.project, by, branch, sha, before=head or ZERO)
        return sha

    def change(self, number: int) -> Change:
        return next(change for change in self.project.changes if change.iid == number)


@contextmanager
def opened(folder: Path, *, merge_method: str = "merge") -> Iterator[World]:
    """A running stand-in whose hook calls a door of its own until it is told another."""
    state = State(folder)
    deeds = Deeds(state, Sender(state))
    with Server(deeds).running() as server, receiving() as (door, received):
        bot = state.make_user(BOT_LOGIN, "bot@gitlab.test", bot=True)
        owner = state.make_user("olive")
        state.tokens[TOKEN] = Token(bot)
        state.make_group("acme/platform").members[bot.id] = LEVELS["maintain"]
        project = Project(1, REPOSITORY, Repo.made(folder / "booking.git"), merge_method=merge_method)
        project.members = {bot.id: LEVELS["maintain"], owner.id: LEVELS["admin"]}
        project.hooks.append(Hook(state.next_id("hook"), door, signing_token=SIGNING))
        state.projects[REPOSITORY] = project
        world = World(state, deeds, server, bot, owner, project, received)
        world.commit(owner, "main", dict(README), "chore: begin")
        project.protected["main"] = (0, LEVELS["write"])
        try:
            yield world
            assert not server.unknown, server.unknown
        finally:
            deeds.sender.close()
