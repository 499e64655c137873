"""Somebody between the bot and a forge: everything goes through, until it is told to answer badly.

Bad answers quote what the bot signed in with, plainly, in base64 and as a URL writes it: forges and proxies do.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

CUT = 0
"""Instead of a status: the connection breaks."""
SIGNED = ("authorization", "private-token", "job-token", "x-api-key")
JWT_DOTS = 2
HOPS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "keep-alive"}


@dataclass
class Meddler:
    """Where it listens, what it stands before, and how it answers now."""

    there: str
    """The forge's `host:port`."""
    here: str = ""
    status: int | None = None
    """How every request is answered from now on; None: as the forge does."""
    hit: int = 0
    """Requests that were answered badly."""
    asked: list[bytes] = field(default_factory=list)
    """Address and body of everything the bot sent."""
    quoted: set[str] = field(default_factory=set)
    """What the bot signed in with, and was told again."""

    def fail(self, status: int | None) -> None:
        self.status, self.hit = status, 0

    def settings(self, said: dict[str, str]) -> dict[str, str]:
        """The bot's settings, with this in the forge's place."""
        return {name: value.replace(self.there, self.here) for name, value in said.items()}

    def quote(self, headers: dict[str, str]) -> str:
        """A sentence with everything secret in it."""
        given = [value for name, value in headers.items() if name.lower() in SIGNED]
        secrets = [_secret(value) for value in given]
        self.quoted.update(secrets)
        lasting = [
            one for one in secrets if one.count(".") != JWT_DOTS
        ]  # the others end before they are decoded
        coded = [base64.b64encode(f"user:{one}".encode()).decode() for one in lasting]
        return " ".join(["you said", *given, *secrets, *coded, *(quote(one, safe="") for one in secrets)])


def _secret(value: str) -> str:
    kind, _, rest = value.partition(" ")
    return base64.b64decode(rest).decode().partition(":")[2] if kind.lower() == "basic" else rest or kind


class Handler(BaseHTTPRequestHandler):
    """One request, passed on or answered badly."""

    protocol_version = "HTTP/1.1"
    meddler: Meddler
    client: httpx.Client

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length) if length else b""
        self.meddler.asked.append(self.path.encode() + b" " + sent)
        status = self.meddler.status
        if status is None:
            self._pass_on(sent)
        elif status == CUT:
            self.meddler.hit += 1
            self._cut()
        else:
            self.meddler.hit += 1
            self._answer_badly(status)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_GET  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _pass_on(self, sent: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        asked = f"http://{self.meddler.there}{self.path}"
        try:
            answer = self.client.request(self.command, asked, content=sent, headers=headers)
        except httpx.HTTPError:
            self._cut()
            return
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOPS}
        self._send(answer.status_code, self._as_here(answer.content), self._headers(kept))

    def _as_here(self, content: bytes) -> bytes:
        return content.replace(self.meddler.there.encode(), self.meddler.here.encode())

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return {name: value.replace(self.meddler.there, self.meddler.here) for name, value in headers.items()}

    def _answer_badly(self, status: int) -> None:
        words = self.meddler.quote(dict(self.headers.items()))
        said: dict[str, Any] = dict.fromkeys(("message", "error", "error_description", "typeKey"), words)
        body = json.dumps(said | {"$id": "1", "errors": [{"message": words}]}).encode()
        self._send(status, body, {"Content-Type": "application/json"}, words)

    def _send(self, status: int, body: bytes, headers: dict[str, str], reason: str | None = None) -> None:
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _cut(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that was closed on purpose is no news."""


@contextmanager
def meddling(address: str) -> Iterator[Meddler]:
    """Before the forge at this address, until the block ends."""
    meddler = Meddler(urlsplit(address).netloc)
    with httpx.Client(trust_env=False, timeout=60) as client:
        handler = type("Bound", (Handler,), {"meddler": meddler, "client": client})
        with Server(("127.0.0.1", 0), handler) as server:
            meddler.here = f"127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
            )
            thread.start()
            try:
                yield meddler
            finally:
                server.shutdown()
                thread.join(timeout=10)
