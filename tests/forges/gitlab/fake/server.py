"""The HTTP server of the stand-in: tokens, permissions, pages, and the faults it is told to have.

A route that is not known answers 501 and is remembered: nothing passes because nobody looked.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.forges.gitlab.fake.deeds import Deeds
from tests.forges.gitlab.fake.state import Json, Project, State, Token, User

PREFIX = "/api/v4"
NO_CONTENT = 204
SLOWER_THAN_TESTS_WAIT = 1.5


class Refuse(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def missing(what: str) -> Refuse:
    return Refuse(404, f"404 {what} Not Found")


def bad(message: str) -> Refuse:
    return Refuse(400, message)


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def content(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.body).encode()


@dataclass
class Fault:
    """What goes wrong with the next `times` calls that fit.

    `kind`: answer (with `status`), timeout, reset, lost (it is done, the answer gets lost), truncated, overtaken
    (somebody does `first` before it).
    """

    method: str
    path: str
    kind: str = "answer"
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    body: Any = None
    skip: int = 0
    """How many calls that fit go well before."""
    first: Callable[[], object] | None = None
    """What somebody else does just before the call is answered, as it should be."""

    def fits(self, method: str, path: str) -> bool:
        """`*` is any method, `WRITE` one that changes something."""
        kinds = {method, "*"} | ({"WRITE"} if method in {"POST", "PUT", "DELETE"} else set())
        fits = self.times > 0 and self.method in kinds and re.search(self.path, path) is not None
        self.skip -= fits
        return fits and self.skip < 0


@dataclass
class Call:
    """One request, with what the routes need."""

    deeds: Deeds
    user: User
    path: list[str]
    query: dict[str, list[str]]
    body: Json
    base: str
    project_: Project | None = None

    @property
    def state(self) -> State:
        return self.deeds.state

    @property
    def project(self) -> Project:
        assert self.project_ is not None
        return self.project_

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def need(self, *names: str) -> None:
        lacking = [name for name in names if not self.body.get(name)]
        if lacking:
            raise Refuse(400, ", ".join(f"{name} is missing" for name in lacking))

    def require(self, level: int) -> None:
        if self.state.level(self.project, self.user) < level:
            raise Refuse(403, "403 Forbidden")

    def page(self, items: list[Json], *, keyset: bool = False) -> Answer:
        size = min(int(self.one("per_page", "20")), 100)
        number = int(self.one("page_token" if keyset else "page", "1"))
        shown = items[(number - 1) * size : number * size]
        headers = (
            {} if keyset else {"X-Page": str(number), "X-Per-Page": str(size), "X-Total": str(len(items))}
        )
        if number * size < len(items):
            following = {**self.query, "page_token" if keyset else "page": [str(number + 1)]}
            headers["Link"] = f'<{self.base}?{urlencode(following, doseq=True)}>; rel="next"'
        return Answer(shown, headers=headers)


Route = Callable[[Call], Any]
ROUTES: list[tuple[str, list[str], Route]] = []


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """`:name` in a pattern is any one segment."""

    def add(function: Route) -> Route:
        ROUTES.append((method, pattern.strip("/").split("/"), function))
        return function

    return add


def _found(method: str, segments: list[str]) -> Route | None:
    for verb, pattern, function in ROUTES:
        same = verb == method and len(pattern) == len(segments)
        if same and all(
            part.startswith(":") or part == given for part, given in zip(pattern, segments, strict=True)
        ):
            return function
    return None


@dataclass
class Server:
    """Listens on a free port of the loopback."""

    deeds: Deeds
    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """What the stand-in did not know, or broke down at."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    limit: tuple[int, int, int] | None = None
    """RateLimit-Limit, -Remaining, -Reset of every answer."""

    @contextmanager
    def running(self) -> Iterator[Server]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.deeds.state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def fault(self, method: str, path: str, kind: str = "answer", **more: Any) -> Fault:
        made = Fault(method, path, kind, **more)
        self.faults.append(made)
        return made

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        where = urlsplit(target)
        segments = [unquote(part) for part in where.path.removeprefix(PREFIX).strip("/").split("/")]
        try:
            token = self._token(headers, method)
            function = self._known("GET" if method == "HEAD" else method, segments)
            query = parse_qs(where.query, keep_blank_values=True)
            said = json.loads(body) if body else {}
            base = f"{self.deeds.state.url}{where.path}"
            call = Call(self.deeds, token.user, segments, query, said or {}, base)
            with self.deeds.state.lock:
                if segments[0] == "projects" and len(segments) > 1:
                    call.project_ = self._project(segments[1], token.user)
                made = function(call)
            return made if isinstance(made, Answer) else Answer(made, 201 if method == "POST" else 200)
        except Refuse as refused:
            return Answer({"message": refused.message}, refused.status)
        except Exception as error:  # noqa: BLE001 - told to the test that caused it (World)
            self.unknown.append(f"{method} {where.path}: {error!r}")
            return Answer({"message": "500 Internal Server Error"}, 500)

    def _known(self, method: str, segments: list[str]) -> Route:
        function = _found(method, segments)
        if function is None:
            self.unknown.append(f"{method} {'/'.join(segments)}")
            raise Refuse(501, "this stand-in does not know that route")
        return function

    def _token(self, headers: Mapping[str, str], method: str) -> Token:
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        private = headers.get("PRIVATE-TOKEN", "")
        token = self.deeds.state.tokens.get(private or bearer)
        if token is None or (private and token.kind == "oauth"):
            raise Refuse(401, "401 Unauthorized")
        if "api" not in token.scopes and method not in {"GET", "HEAD"}:
            raise Refuse(403, "insufficient_scope")
        return token

    def _project(self, name: str, user: User) -> Project:
        project = self.deeds.state.project(name)
        hidden = project is None or (
            project.visibility == "private" and not self.deeds.state.level(project, user)
        )
        if project is None or hidden:
            raise missing("Project")
        return project


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    return type("Bound", (Handler,), {"fake": server})


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    fake: Server
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.fake.asked.append((self.command, path))
        fault = next((one for one in self.fake.faults if one.fits(self.command, path)), None)
        if fault is None:
            self._say(self._answer(body))
            return
        fault.times -= 1
        fault.skip = 0
        if fault.kind == "answer":
            said = {"message": "made to fail"} if fault.body is None else fault.body
            self._say(Answer(said, fault.status, dict(fault.headers)))
        elif fault.kind == "overtaken":
            assert fault.first is not None
            fault.first()
            self._say(self._answer(body))
        elif fault.kind == "truncated":
            self._say(self._answer(body), cut=True)
        else:
            if fault.kind == "lost":
                self._answer(body)
            if fault.kind == "timeout":
                time.sleep(SLOWER_THAN_TESTS_WAIT)
            self._vanish()

    def _answer(self, body: bytes) -> Answer:
        return self.fake.answer(self.command, self.path, dict(self.headers), body)

    def _say(self, answer: Answer, *, cut: bool = False) -> None:
        content = answer.content()
        if answer.status == NO_CONTENT:
            content = b""
        self.send_response(answer.status)
        if self.fake.limit:
            names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
            answer.headers |= {name: str(value) for name, value in zip(names, self.fake.limit, strict=True)}
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True

    def _vanish(self) -> None:
        """Reset, not closed in good order."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = self.rfile = BytesIO()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names of http.server

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""
