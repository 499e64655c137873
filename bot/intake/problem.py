"""Errors over HTTP as RFC 9457 problem documents, and request bodies read under a cap."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse


class Problem(Exception):
    """What the caller is told instead of an answer."""

    def __init__(
        self,
        status: int,
        reason_code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason_code = reason_code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> JSONResponse:
        """`application/problem+json` with a stable `reasonCode`."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reasonCode": self.reason_code,
        }
        return JSONResponse(
            body | self.more, self.status, self.headers, media_type="application/problem+json"
        )


def unavailable(retry_after: int) -> Problem:
    """The database is full or away: nothing was stored, come back."""
    detail = "this cannot be stored at the moment; nothing was stored"
    return Problem(503, "Unavailable", detail, headers={"Retry-After": str(retry_after)})


async def read_body(request: Request, cap: int) -> bytes:
    """The body, at most `cap` bytes.

    Raises Problem(413) without reading on, whatever length was announced.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > cap:
        raise _too_large(cap)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > cap:
            raise _too_large(cap)
        parts.append(part)
    return b"".join(parts)


def _too_large(cap: int) -> Problem:
    # The rest of the body is on its way; without this the server would read it all to keep the connection.
    return Problem(
        413, "BodyTooLarge", f"the body is larger than {cap} bytes", headers={"Connection": "close"}
    )
