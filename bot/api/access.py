"""Who is asking: the bearer token is checked, and the body read under a cap, before anything is parsed.

    routes = APIRouter(route_class=guarded(services, "read"))
    @routes.get("/traces")
    async def traces(caller: Asking): ...

The tenant comes from the token and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from bot.api.problems import told
from bot.api.services import Services
from bot.intake.problem import Problem, read_body
from bot.intake.tokens import Caller, require

BEARER = HTTPBearer(
    auto_error=False, description="A token of `pointsman token create`; its scopes say what it may do."
)
WITH_BODY = {"POST", "PUT", "PATCH"}


async def _caller(request: Request, _declared: Annotated[Any, Depends(BEARER)]) -> Caller:
    caller: Caller = request.state.caller
    return caller


Asking = Annotated[Caller, Depends(_caller)]
"""The caller, known to hold the scope of the route."""


JSON = frozenset({"application/json"})


def guarded(
    services: Services, scope: str, *, cap: int | None = None, media: frozenset[str] = JSON
) -> type[APIRoute]:
    """A kind of route that wants a token with `scope` before it reads, and reads at most `cap` bytes of a
    body of one of the types in `media`.
    """
    most = services.settings.body_cap if cap is None else cap

    class Guarded(APIRoute):
        """Authenticates, then reads, then answers; every error is a problem document."""

        def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
            settings["openapi_extra"] = (settings.get("openapi_extra") or {}) | {"x-scope": scope}
            super().__init__(path, endpoint, **settings)

        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                try:
                    request.state.services = services
                    request.state.caller = await run_in_threadpool(require, services.store, request, scope)
                    response: Response = await handle(await _read(request, most, media))
                except Exception as error:  # noqa: BLE001 - the caller gets a problem, whatever it is
                    return told(error, request.url.path).response()
                return response

            return guard

    return Guarded


async def _read(request: Request, most: int, media: frozenset[str]) -> Request:
    """The same request with its body already here."""
    if request.method not in WITH_BODY:
        return request
    body = await read_body(request, most)
    content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and content not in media:
        named = "application/json" if media == JSON else "application/octet-stream"
        raise Problem(415, "UnsupportedMediaType", f"Send the body as {named}.")
    sent = False

    async def receive() -> Any:
        nonlocal sent
        if sent:
            return await request.receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
