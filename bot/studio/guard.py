"""Who looks at a page: a session, or the page that says how to get one. Errors are pages too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from bot.api.services import Services
from bot.intake.problem import Problem
from bot.intake.tokens import Caller, check_scope
from bot.studio import sessions
from bot.studio.render import page
from bot.telemetry import get_logger

log = get_logger(__name__)
SCOPE = "read"
"""What every page of Studio takes; what a person does there is a command, and asks for its own right."""
BROKEN = "Something went wrong here. It has been logged."
NOT_SIGNED_IN = "You are not signed in, or your session has ended."
NOT_FOUND = 404


async def _signed_in(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Asking = Annotated[Caller, Depends(_signed_in)]
"""Whoever is signed in."""


def guarded(services: Services, *, open_to_all: bool = False) -> type[APIRoute]:
    """A kind of route whose errors are pages, and which, unless open to all, wants somebody signed in."""

    class Guarded(APIRoute):
        """Looks at the cookie first."""

        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def guard(request: Request) -> Response:
                caller = await services.read(lambda session: sessions.caller_of(session, request))
                request.state.caller = caller
                if caller is None and not open_to_all:
                    return sign_in(services, 401, NOT_SIGNED_IN, to=_wanted(request))
                try:
                    if caller is not None and not open_to_all:
                        check_scope(caller, SCOPE)
                    response: Response = await handle(request)
                except Exception as error:  # noqa: BLE001 - a person gets a page, whatever it is
                    return _told(error, request, caller)
                return response

            return guard

    return Guarded


def sign_in(services: Services, status: int = 200, problem: str = "", *, to: str = "/") -> Response:
    """The page that asks for a token, and says how to get one."""
    wanted = sessions.destination(to)
    return page("sign_in.html", status, problem=problem, tenant=services.settings.tenant, to=wanted)


def _wanted(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _told(error: Exception, request: Request, caller: Caller | None) -> Response:
    if isinstance(error, Problem):
        title = "Not found" if error.status == NOT_FOUND else "This did not work"
        return page("error.html", error.status, caller=caller, title=title, detail=error.detail)
    if isinstance(error, RequestValidationError):
        return page(
            "error.html", NOT_FOUND, caller=caller, title="Not found", detail="There is nothing here."
        )
    log.error("page_failed", path=request.url.path, exc_info=error)
    return page("error.html", 500, caller=caller, title="This did not work", detail=BROKEN)
