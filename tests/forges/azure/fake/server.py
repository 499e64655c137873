"""The fake's HTTP side: who calls, which resource that is, what goes wrong on purpose."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.forges.azure.fake import (
    artefacts,
    environments,
    objects,
    others,
    policies,
    pulls,
    repositories,
    runs,
    statuses,
    talk,
    wiki,
    work,
)
from tests.forges.azure.fake.calls import ANSWERS, Reply, Request
from tests.forges.azure.fake.locations import LOCATIONS
from tests.forges.azure.fake.state import Failure, Fault, Organisation, Person

MODULES = (
    artefacts,
    environments,
    objects,
    others,
    policies,
    pulls,
    repositories,
    runs,
    statuses,
    talk,
    wiki,
    work,
)
"""Imported for what they answer."""
PREFIX = "/acme"


class Handler(BaseHTTPRequestHandler):
    """One request. Errors have the shape of `WrappedException`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm: ClassVar[bool] = True
    org: Organisation

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Nothing: the tests say what went wrong."""

    def _serve(self) -> None:
        asked = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length) if length else b""
        path = unquote(asked.path)
        with self.org.lock:
            self.org.asked.append((self.command, path))
            fault = self.org.fault(self.command, path)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault and fault.kind in {"reset", "slow"}:
            return self._reset()
        if fault and fault.kind == "status":
            body = {"$id": "1", "message": "something went wrong on purpose", "typeKey": "FaultException"}
            return self._send(Reply(body, fault.status, fault.headers))
        reply = self._reply(path, dict(parse_qsl(asked.query, keep_blank_values=True)), sent)
        if fault and fault.kind == "lost":
            return self._reset()
        return self._send(reply, cut=bool(fault and fault.kind == "cut"))

    def _reply(self, path: str, query: dict[str, str], sent: bytes) -> Reply:
        try:
            with self.org.lock:
                return self._answer(path, query, json.loads(sent) if sent else None)
        except Failure as error:
            return _wrapped(error)
        except Exception as error:  # noqa: BLE001 - a mistake of the fake's is an answer that no test expects
            self.org.unknown.append(f"{self.command} {path}: {type(error).__name__}: {error}")
            return Reply({"message": f"the fake broke: {error!r}", "typeKey": "FakeException"}, 501)

    def _answer(self, path: str, query: dict[str, str], body: Any) -> Reply:
        below = path.removeprefix(PREFIX)
        if self.command == "OPTIONS":
            return Reply({"count": len(LOCATIONS), "value": [one.json() for one in LOCATIONS]})
        by = self._caller()
        if by is None:
            return Reply(b"<html>Sign in</html>", 401, kind="text/html")
        accept, match = self.headers.get("Accept", ""), self.headers.get("If-Match", "")
        if "api-version=7.1" not in accept and query.get("api-version") != "7.1":
            raise Failure(400, "VssVersionNotSpecifiedException", f"No api-version was supplied: {accept}")
        for location in LOCATIONS:
            route = location.match(below)
            function = ANSWERS.get((self.command, location.name))
            if route is not None and function is not None:
                found = function(Request(self.org, by, route, query, body, accept, match))
                reply = found if isinstance(found, Reply) else Reply(found)
                if not isinstance(reply.body, bytes):
                    self.org.answers.append((self.command, location.name, json.loads(json.dumps(reply.body))))
                return reply
        self.org.unknown.append(f"{self.command} {path}")
        raise Failure(404, "UnknownRoute", f"the fake has no {self.command} {path}")

    def _caller(self) -> Person | None:
        given = self.headers.get("Authorization", "")
        kind, _, rest = given.partition(" ")
        token = rest
        if kind == "Basic":
            user, _, token = base64.b64decode(rest).decode().partition(":")
            if user:
                return None
        found = [one for one in self.org.people.values() if one.token and one.token == token]
        return found[0] if found else None

    def _send(self, reply: Reply, *, cut: bool = False) -> None:
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(data)))
        extra = self.org.extra_headers if reply.status < 300 else {}
        for name, value in {**extra, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _wrapped(error: Failure) -> Reply:
    body = {
        "$id": "1",
        "innerException": None,
        "message": error.message,
        "typeName": f"Microsoft.TeamFoundation.{error.key}, Microsoft.TeamFoundation",
        "typeKey": error.key,
        "errorCode": 0,
        "eventId": 3000,
    }
    return Reply(body, error.status)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that was closed on purpose is no news."""


@contextmanager
def serving(org: Organisation) -> Iterator[str]:
    """Serve an organisation on a free port of this machine; gives its address."""
    handler = type("Bound", (Handler,), {"org": org})
    with Server(("127.0.0.1", 0), handler) as server:
        org.url = f"http://127.0.0.1:{server.server_address[1]}{PREFIX}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield org.url
        finally:
            server.shutdown()
            thread.join(timeout=10)


__all__ = ["Fault", "serving"]
