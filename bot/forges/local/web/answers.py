"""From an error to an HTTP answer, once for all routes; problem+json (RFC 9457) for the API."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from bot.domain.errors import Permanent, Retryable
from bot.forges.local.changes import Impossible
from bot.forges.local.ground import Missing
from bot.forges.local.people import NotAllowed, Taken
from bot.forges.local.web.identity import SignInNeeded

BODY_LIMIT = 16 * 1024 * 1024
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


PLAIN: tuple[tuple[type[Exception], int, str], ...] = (
    (SignInNeeded, 401, "SignInNeeded"),
    (NotAllowed, 403, "NotAllowed"),
    (Missing, 404, "NotFound"),
    (Taken, 409, "Taken"),
    (Retryable, 503, "Busy"),
)
PLAIN_WORDS = "Sign in with your token."


class BodyRefused(Exception):
    """A body without a length, or with too much of it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_length(request: Request) -> None:
    """The server reads no more than the announced length: limit that. Raises BodyRefused."""
    if request.method in {"GET", "HEAD", "DELETE"}:
        return
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise BodyRefused(411, "the request must say how long it is (Content-Length)")
    if int(length) > BODY_LIMIT:
        raise BodyRefused(413, f"the request may have {BODY_LIMIT // 1024 // 1024} MiB at most")


def explain(error: Exception) -> tuple[int, str, str]:
    """Status, stable code and sentence of an error; what is not ours to explain is raised again."""
    for kind, status, code in PLAIN:
        if isinstance(error, kind):
            return status, code, str(error.args[0] if error.args else PLAIN_WORDS)
    if isinstance(error, BodyRefused):
        return error.status, "BodyRefused", str(error)
    if isinstance(error, Impossible | Permanent):
        return 409, error.code if isinstance(error, Impossible) else error.reason_code, error.message
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return 422, "Invalid", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise error


class ApiRoute(APIRoute):
    """Answers errors as problem+json."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                check_length(request)
                return await handler(request)
            except Exception as error:  # noqa: BLE001 - explain raises what is not ours again
                status, code, message = explain(error)
                body = {"type": "about:blank", "title": code, "status": status, "detail": message}
                headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004
                return JSONResponse(body, status, headers, media_type="application/problem+json")

        return answered
