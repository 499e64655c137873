"""Every error of the API is `application/problem+json` (RFC 9457).

It has a stable `reasonCode` and, for wrong input, the `path`:

    raise Problem(422, "SecretFound", "config.py:3 holds what looks like a secret", path="files[2].content")

`bot.intake.problem` has the exception; here are its model for OpenAPI and what frameworks raise put into
the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from bot.intake.problem import Problem
from bot.telemetry import get_logger

log = get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
REASONS = {400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed", 415: "UnsupportedMediaType"}
DETAILS = {
    400: "The request can not be read.",
    404: "There is nothing at this address.",
    405: "This address does not answer that method.",
}
DESCRIPTIONS = {
    400: "Not JSON",
    401: "No valid bearer token",
    403: "The token lacks the scope",
    404: "Not there, or another tenant's",
    409: "Contradicts what is stored",
    413: "Body over the cap; nothing was stored",
    415: "Not a JSON content type",
    422: "Does not fit its model; `path` names the field; nothing was stored",
    503: "Cannot be stored now; see Retry-After",
}


class ProblemBody(BaseModel):
    """What an error says (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(description="One sentence for a person.")
    reasonCode: str = Field(description="Stable, for programs.", examples=["SecretFound"])  # noqa: N815 - wire name
    path: str | None = Field(default=None, description="The field that is wrong.", examples=["files[0].path"])


def not_found(what: str, name: str) -> Problem:
    """The same answer for what does not exist and for what belongs to another tenant."""
    return Problem(404, "NotFound", f"There is no {what} {name!r}.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors an operation may answer, for OpenAPI."""
    return {status: {"model": ProblemBody, "description": DESCRIPTIONS[status]} for status in statuses}


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem, and let its OpenAPI document say so."""
    for kind in (Problem, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _other)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _say_problem(describe())
        return describe()

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def told(error: Exception, path: str) -> Problem:
    """The problem that an error is for its caller; one of ours is logged, with secrets taken out."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return wrong(error.errors())
    if isinstance(error, HTTPException):
        return _of_framework(error)
    log.error("request_failed", path=path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(status, "InternalError", "Something went wrong here; it has been logged.")


def wrong(errors: Iterable[Any]) -> Problem:
    """The problem that validation errors of pydantic come down to: the first of them."""
    first = next(iter(errors))
    where, *inside = first["loc"] or ("body",)
    if first["type"] == "json_invalid":
        return Problem(400, "InvalidJson", "The body is not JSON.")
    path = located(inside) or str(where)
    return Problem(422, "InvalidPayload", f"{path}: {first['msg']}.", path=path)


def located(parts: Iterable[Any]) -> str:
    """`("files", 3, "path")` -> `files[3].path`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _of_framework(error: HTTPException) -> Problem:
    detail = DETAILS.get(error.status_code) or str(error.detail)
    reason_code = REASONS.get(error.status_code, "Failed")
    return Problem(error.status_code, reason_code, detail, headers=error.headers)


async def _other(request: Request, error: Exception) -> JSONResponse:
    return told(error, request.url.path).response()


def _say_problem(document: dict[str, Any]) -> None:
    """FastAPI writes down an error's model as plain JSON; ours have a media type of their own."""
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                said = [one for one in answer.get("content", {}).values() if _is_problem(one)]
                if said:
                    answer["content"] = {MEDIA_TYPE: said[0]}


def _is_problem(content: dict[str, Any]) -> bool:
    return str(content.get("schema", {}).get("$ref", "")).endswith("/ProblemBody")
