"""Talks to a running Pointsman.

The token comes from the environment or a file: an argument would show in `ps`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

import typer

from bot.cli.failure import Code, Failure

if TYPE_CHECKING:  # the HTTP library takes longer to load than `--help` may take
    import httpx

URL = "http://127.0.0.1:8080"
UrlOption = Annotated[str, typer.Option("--url", envvar="POINTSMAN_URL", help="Where the bot answers.")]
TokenFileOption = Annotated[
    Path | None,
    typer.Option("--token-file", help="File with the token; without it POINTSMAN_TOKEN.", dir_okay=False),
]
CODES = {401: Code.NOT_AUTHORISED, 403: Code.NOT_AUTHORISED}
TIMEOUT = 30.0


def token(file: Path | None) -> str:
    """The bearer token. Raises Failure when there is none."""
    given = (
        file.read_text(encoding="utf-8", errors="replace") if file else os.environ.get("POINTSMAN_TOKEN", "")
    )
    if not given.strip():
        where = f"{file} is empty" if file else "POINTSMAN_TOKEN is not set and there is no --token-file"
        raise Failure(
            f"{where}: make a token with `pointsman token create`.",
            Code.NOT_AUTHORISED,
            reason_code="TokenMissing",
        )
    if not given.strip().isascii() or not given.strip().isprintable() or " " in given.strip():
        raise Failure(
            "This is not a token: it has characters no token has.",
            Code.NOT_AUTHORISED,
            reason_code="TokenInvalid",
        )
    return given.strip()


class Client:
    """One server, one token. Use it in a `with` block."""

    def __init__(self, url: str, token_file: Path | None) -> None:
        import httpx

        _check(url)
        headers = {"Authorization": f"Bearer {token(token_file)}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer of a GET. Raises Failure for every error the server names."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return _read(self._http.get(path, params=given))

    def post(
        self, path: str, document: Any = None, *, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer of a POST. Raises Failure."""
        return _read(self._http.post(path, json=document, headers=headers))

    def send(self, path: str, content: bytes, /, **parameters: str) -> dict[str, Any]:
        """The answer of a POST whose body is a file. Raises Failure."""
        headers = {"Content-Type": "application/octet-stream"}
        return _read(self._http.post(path, content=content, params=parameters, headers=headers))


def _check(url: str) -> None:
    try:
        said = urlsplit(url)
        known = said.scheme in {"http", "https"} and bool(said.hostname)
    except ValueError:
        known = False
    if not known:
        message = f"{url} is not the address of a bot: write http://HOST:PORT."
        raise Failure(message, Code.USAGE, reason_code="InvalidUrl", path="--url")


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        said = None
    if answer.is_success and isinstance(said, dict):
        return said
    if not isinstance(said, dict) or "reasonCode" not in said:
        raise Failure(
            f"{answer.request.url.host} answered {answer.status_code}, which is no answer of Pointsman.",
            reason_code="UnexpectedAnswer",
        )
    code = CODES.get(answer.status_code, Code.FAILED)
    raise Failure(str(said.get("detail")), code, reason_code=said["reasonCode"], path=said.get("path") or "")


def wait_for(look: Callable[[], dict[str, Any] | None], *, seconds: float, what: str) -> dict[str, Any]:
    """Ask until there is an answer. Raises Failure when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise Failure(f"No answer within {seconds:g} s: {what}.", reason_code="TimedOut")
