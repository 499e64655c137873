"""The fake's HTTP: routes, sign-in, permissions, pages, ETags, limits, and the failures it is told to have."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio.to_thread
import jwt
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.forges.github.fake.hub import Bearer, Hub, Json, Refused, Repository

RANK = {"none": 0, "read": 1, "triage": 1, "write": 2, "maintain": 3, "admin": 4}
MUTATIONS = {"POST", "PUT", "PATCH", "DELETE"}
ADMINISTRATORS = {"administration", "repository_hooks"}
"""What of the users only administrators may do and see."""


@dataclass
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: Any = None


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match `pattern` (`METHOD /path`).

    `status` with `headers`, or `reset` (the connection is cut), `lost` (it is done, and then cut), `slow` (seconds).
    """

    pattern: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    reset: bool = False
    lost: bool = False
    slow: float = 0.0
    truncated: bool = False
    """The answer ends in the middle."""
    emptied: bool = False
    """A page of a list comes without its items, and says that there are more."""
    skip: int = 0
    """So many requests that match go well before."""
    seen: int = 0


@dataclass
class Call:
    """A request, as a route sees it."""

    hub: Hub
    exchange: Exchange
    arguments: dict[str, str]
    bearer: Bearer | None
    app: bool = False

    @property
    def json(self) -> Json:
        said = json.loads(self.exchange.body or b"{}")
        assert isinstance(said, dict)
        return said

    @property
    def query(self) -> dict[str, str]:
        return self.exchange.query

    @property
    def login(self) -> str:
        assert self.bearer
        return self.bearer.login

    @property
    def repo(self) -> Repository:
        found = self.hub.repositories.get(f"{self.arguments['owner']}/{self.arguments['repo']}")
        if found is None:
            raise Refused(404, "Not Found")
        return found


@dataclass
class Reply:
    """What a route answers; `json` may be bytes."""

    status: int = 200
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Route = Callable[[Call], Reply]
ROUTES: list[tuple[str, re.Pattern[str], dict[str, str], Route]] = []


def route(method: str, template: str, **needs: str) -> Callable[[Route], Route]:
    """`needs`: the permission a token must have, such as `contents="write"`; several: any of them."""
    pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$")

    def register(function: Route) -> Route:
        ROUTES.append((method, pattern, needs, function))
        return function

    return register


ELSEWHERE = re.compile(r"^/(codeload|logs|storage)/")
"""Other hosts, which let in who has the address, and turn away who shows them a token of GitHub's."""


def elsewhere(call: Call, path: str) -> Reply:
    """A redirect to a file that another host has."""
    host = call.hub.url.replace("127.0.0.1", "localhost")
    return Reply(302, None, {"Location": f"{host}{path}?{call.hub.pass_word}"})


def paged(call: Call, items: list[Any], inside: str = "") -> Reply:
    """One page of a list, with the link to the next."""
    size, page = int(call.query.get("per_page", "30")), int(call.query.get("page", "1"))
    assert 1 <= size <= 100, "GitHub gives a hundred at most"
    part = items[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(items):
        following = f"{call.hub.url}{call.exchange.path}?per_page={size}&page={page + 1}"
        headers["Link"] = f'<{following}>; rel="next"'
    return Reply(200, {"total_count": len(items), inside: part} if inside else part, headers)


def cut(receive: Receive) -> None:
    """Reset the connection of a request. An ASGI application that just returns has uvicorn answer with 500."""
    transport = receive.__self__.transport  # type: ignore[attr-defined] - uvicorn's RequestResponseCycle
    at_once = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


def _without_items(said: Json) -> Json:
    return {name: [] if isinstance(value, list) else value for name, value in said.items()}


class Server:
    """An ASGI application. `faults` are looked at in order; `exchanges` is everything that was asked."""

    def __init__(self, hub: Hub) -> None:
        from tests.forges.github.fake import (
            graph,
            routes_app,
            routes_beside,
            routes_making,
            routes_people,
            routes_pulls,
            routes_reports,
            routes_repository,
        )

        self.modules = (
            graph,
            routes_app,
            routes_beside,
            routes_making,
            routes_people,
            routes_pulls,
            routes_reports,
            routes_repository,
        )
        self.hub = hub
        self.faults: list[Fault] = []
        self.exchanges: list[Exchange] = []
        self.remaining = 5000

    def fail(self, pattern: str, **how: Any) -> Fault:
        self.faults.append(Fault(pattern, **how))
        return self.faults[-1]

    def asked(self, pattern: str) -> list[Exchange]:
        return [one for one in self.exchanges if re.search(pattern, f"{one.method} {one.path}")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = Request(scope, receive)
        path = scope["raw_path"].decode().partition("?")[0]
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        exchange = Exchange(request.method, path, query, dict(request.headers), await request.body())
        reply = await anyio.to_thread.run_sync(self._answer, exchange)
        if reply is None:
            cut(receive)
            return
        body = (
            reply.json
            if isinstance(reply.json, bytes)
            else b""
            if reply.json is None
            else json.dumps(reply.json).encode()
        )
        kind = (
            "application/octet-stream" if isinstance(reply.json, bytes) else "application/json; charset=utf-8"
        )
        headers = {"content-type": kind} | {name.lower(): value for name, value in reply.headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, exchange: Exchange) -> Reply | None:
        fault = self._fault(exchange)
        if fault and fault.slow:
            time.sleep(fault.slow)
        with self.hub.lock:
            self.exchanges.append(exchange)
            if fault and fault.reset:
                return None
            if fault and fault.status:
                exchange.status = fault.status
                return Reply(fault.status, fault.json or {"message": "made to fail"}, fault.headers)
            reply = self._routed(exchange)
            exchange.status, exchange.answer = reply.status, reply.json
        if fault and fault.lost:
            return None
        if fault and fault.emptied:
            following = f'<{self.hub.url}{exchange.path}?page=2>; rel="next"'
            nothing = [] if isinstance(reply.json, list) else _without_items(reply.json)
            return Reply(reply.status, nothing, {"Link": following})
        if fault and fault.truncated and isinstance(reply.json, dict | list):
            whole = json.dumps(reply.json).encode()
            return Reply(
                reply.status, whole[: len(whole) // 2], reply.headers | {"content-type": "application/json"}
            )
        return reply

    def _fault(self, exchange: Exchange) -> Fault | None:
        for fault in self.faults:
            if not re.search(fault.pattern, f"{exchange.method} {exchange.path}"):
                continue
            fault.seen += 1
            if fault.skip < fault.seen <= fault.skip + fault.times:
                return fault
        return None

    def _routed(self, exchange: Exchange) -> Reply:
        try:
            for method, pattern, needs, function in ROUTES:
                found = pattern.match(exchange.path)
                if found and method == exchange.method:
                    arguments = {name: unquote(value) for name, value in found.groupdict().items()}
                    call = self._call(exchange, arguments, needs)
                    return self._limited(exchange, function(call))
        except Refused as error:
            return self._limited(exchange, Reply(error.status, error.json, dict(error.headers)))
        return Reply(501, {"message": f"the fake has no {exchange.method} {exchange.path}"})

    def _limited(self, exchange: Exchange, reply: Reply) -> Reply:
        """Rate-limit headers on everything; ETags on what is read."""
        if exchange.method == "GET" and reply.status == 200 and not isinstance(reply.json, bytes):
            tag = '"' + hashlib.sha256(json.dumps(reply.json, sort_keys=True).encode()).hexdigest() + '"'
            reply.headers["ETag"] = tag
            if exchange.headers.get("if-none-match") == tag:
                return Reply(304, None, {"ETag": tag} | self._limits(exchange))
        self.remaining -= 1
        reply.headers |= self._limits(exchange)
        return reply

    def _limits(self, exchange: Exchange) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
            "X-RateLimit-Resource": "graphql" if exchange.path == "/graphql" else "core",
        }

    def _call(self, exchange: Exchange, arguments: dict[str, str], needs: dict[str, str]) -> Call:
        given = exchange.headers.get("authorization", "")
        if ELSEWHERE.match(exchange.path):
            if given:
                raise Refused(400, "InvalidAuthenticationInfo")
            if self.hub.pass_word != "&".join(f"{name}={value}" for name, value in exchange.query.items()):
                raise Refused(403, "AuthenticationFailed")
            return Call(self.hub, exchange, arguments, None)
        kind, _, token = given.partition(" ")
        if kind.lower() not in {"bearer", "token"}:
            raise Refused(401, "Requires authentication")
        if token.startswith("eyJ"):
            self._is_app(token)
            return Call(self.hub, exchange, arguments, None, app=True)
        bearer = self.hub.bearers.get(token)
        if bearer is None or (bearer.ends and bearer.ends < datetime.now(UTC)):
            raise Refused(401, "Bad credentials")
        call = Call(self.hub, exchange, arguments, bearer)
        if needs and "owner" in arguments:
            self._may(call, needs)
        return call

    def _is_app(self, token: str) -> None:
        try:
            said = jwt.decode(token, self.hub.public_key, algorithms=["RS256"], options={"verify_iat": False})
        except jwt.InvalidTokenError as error:
            raise Refused(401, "A JSON web token could not be decoded") from error
        if said["iss"] != str(self.hub.app_id) or said["exp"] - said["iat"] > 600:
            raise Refused(401, "'Issuer' claim ('iss') must be an Integer")

    def _may(self, call: Call, needs: dict[str, str]) -> None:
        bearer, repo = call.bearer, call.repo
        assert bearer
        wanted = max(RANK[level] for level in needs.values())
        if bearer.permissions is None:
            held = RANK[repo.may(bearer.login)]
            if needs.keys() & ADMINISTRATORS:
                wanted = RANK["admin"]
            reads = call.exchange.method not in MUTATIONS and wanted < RANK["admin"]
            if not held or (held < wanted and not reads):
                raise Refused(404, "Not Found")
            return
        if bearer.repositories and repo.name not in bearer.repositories:
            raise Refused(404, "Not Found")
        installed = call.hub.installation.permissions if call.hub.installation else {}
        for name, level in needs.items():
            enough = RANK[level]
            if (
                RANK[bearer.permissions.get(name, "none")] >= enough
                and RANK[installed.get(name, "none")] >= enough
            ):
                return
        raise Refused(403, "Resource not accessible by integration")
