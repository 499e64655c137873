"""Studio's routes: the list of traces, a trace, a release, all live; signing in and out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.orm import Session

from bot.api import artefacts, queries
from bot.api.services import Services
from bot.api.traces import existing
from bot.intake.problem import Problem, read_body
from bot.log import events, load, verify
from bot.projections import slots
from bot.studio import sessions
from bot.studio.guard import Asking, guarded
from bot.studio.guard import sign_in as sign_in_form
from bot.studio.headline import headline, title
from bot.studio.release import release_page, trace_of
from bot.studio.render import HEADERS, HERE, STATIC, page
from bot.studio.sentences import web
from bot.studio.views import entries, environments, held_up, row

ON_ONE_PAGE = 50
LARGEST_FORM = 4096
LONGEST_FEED = 600.0
LOOK_EVERY = 0.5


def studio_router(services: Services) -> APIRouter:
    """All pages; none of them is part of the API's document."""
    routes = APIRouter(include_in_schema=False)
    for part in (_open_pages, _reading_pages, _feeds, _downloads):
        routes.include_router(part(services))
    return routes


def _open_pages(services: Services) -> APIRouter:
    routes = APIRouter(route_class=guarded(services, open_to_all=True))

    @routes.get("/sign-in")
    async def sign_in_page(to: str = "/") -> Response:
        return sign_in_form(services, to=to)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        sessions.same_origin(request)
        form = parse_qs((await read_body(request, LARGEST_FORM)).decode("ascii", "replace"))
        to = form.get("to", ["/"])[0]
        secret = await run_in_threadpool(_begin, services, form.get("token", [""])[0].strip())
        if secret is None:
            return sign_in_form(services, 401, "This token is unknown, expired or used up.", to=to)
        answer = RedirectResponse(sessions.destination(to), 303, HEADERS)
        sessions.remember(answer, secret, secure=request.url.scheme == "https")
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        sessions.same_origin(request)
        await run_in_threadpool(_end, services, request.cookies.get(sessions.COOKIE, ""))
        answer = RedirectResponse("/sign-in", 303, HEADERS)
        sessions.forget(answer, secure=request.url.scheme == "https")
        return answer

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in STATIC:
            raise Problem(404, "NotFound", "There is no such file.")
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return FileResponse(HERE / "static" / name, media_type=STATIC[name], headers=headers)

    return routes


def _begin(services: Services, token: str) -> str | None:
    with services.store.begin() as session:
        return sessions.begin(session, token)


def _end(services: Services, secret: str) -> None:
    with services.store.begin() as session:
        sessions.end(session, secret)


def _reading_pages(services: Services) -> APIRouter:
    routes = APIRouter(route_class=guarded(services))

    @routes.get("/")
    async def traces(caller: Asking, after: str | None = None) -> Response:
        found = await services.read(partial(_list, tenant=caller.tenant, after=after))
        return page("traces.html", caller=caller, **found)

    @routes.get("/traces/{trace_id}")
    async def trace(trace_id: str, caller: Asking) -> Response:
        found = await services.read(partial(_trace, tenant=caller.tenant, trace=trace_id))
        return page("trace.html", caller=caller, page=found)

    @routes.get("/releases/{release}")
    async def release(release: str, caller: Asking, trace: str | None = None) -> Response:
        question = partial(release_page, login=caller.actor, now=services.clock())
        found = await services.read(lambda session: question(session, caller.tenant, release, trace))
        return page("release.html", caller=caller, page=found)

    return routes


def _list(session: Session, tenant: str, after: str | None) -> dict[str, Any]:
    before = (after[:24], after[25:]) if after and len(after) > 25 else None  # noqa: PLR2004 - a moment has 24
    states = queries.states(session, tenant, limit=ON_ONE_PAGE + 1, before=before)
    rows = [row(state) for state in states[:ON_ONE_PAGE]]
    more = f"{rows[-1].updated_at} {rows[-1].trace_id}" if len(states) > ON_ONE_PAGE else None
    blocked = sum(held_up(state) for state in states[:ON_ONE_PAGE])
    return {"rows": rows, "more": more, "waiting": blocked}


def _trace(session: Session, tenant: str, trace: str) -> dict[str, Any]:
    existing(session, tenant, trace)
    state, happened = load(session, tenant, trace), events(session, tenant, trace)
    running = (
        {slot.environment: slot for _, slot in slots.read(session, tenant, state.module_id)}
        if state.module_id
        else {}
    )
    said, change = headline(state), state.change or {}
    return {
        "trace_id": trace,
        "title": title(state),
        "headline": said.text,
        "tone": said.tone,
        "sequence": state.sequence,
        "repository": state.repository,
        "revision": state.head,
        "submitter": state.submitter,
        "updated_at": happened[-1].to_json()["time"],
        "change": {"number": change["number"], "url": web(change.get("url")), "state": change["state"]}
        if change
        else None,
        "escalations": [] if state.published else state.escalations[-2:],
        "environments": environments(state, running),
        "entries": entries(happened),
        "artefacts": artefacts.files(session, tenant, trace),
        "proof": _proof(verify(session, tenant, trace)),
    }


def _proof(report: dict[str, Any]) -> dict[str, Any]:
    if report["ok"]:
        count = report["events"]
        return {"ok": True, "sentence": f"Unchanged: the hash chain of {count} events holds."}
    bad = report["first_bad"]
    where = f"event {bad['sequence']} is not what was written" if bad else "it can not be read"
    return {"ok": False, "sentence": f"Changed: {where} ({report.get('reason', '')})."}


def _feeds(services: Services) -> APIRouter:
    """They only say that something moved; the page is then fetched again."""
    routes = APIRouter(route_class=guarded(services))

    @routes.get("/live", response_class=EventSourceResponse)
    async def live(caller: Asking) -> AsyncIterator[ServerSentEvent]:
        async for mark in _changes(services, partial(queries.latest, tenant=caller.tenant)):
            yield ServerSentEvent(raw_data=mark, event="moved")

    @routes.get("/traces/{trace_id}/live", response_class=EventSourceResponse)
    async def live_trace(trace_id: str, caller: Asking) -> AsyncIterator[ServerSentEvent]:
        question = partial(queries.head_sequence, tenant=caller.tenant, trace=trace_id)
        async for mark in _changes(services, lambda session: str(question(session))):
            yield ServerSentEvent(raw_data=mark, event="moved")

    @routes.get("/releases/{release}/live", response_class=EventSourceResponse)
    async def live_release(
        release: str, caller: Asking, trace: str | None = None
    ) -> AsyncIterator[ServerSentEvent]:
        def question(session: Session) -> str:
            name = trace_of(session, caller.tenant, release, trace)
            return str(queries.head_sequence(session, caller.tenant, name))

        async for mark in _changes(services, question):
            yield ServerSentEvent(raw_data=mark, event="moved")

    return routes


async def _changes(services: Services, look: Callable[[Session], str]) -> AsyncIterator[str]:
    """A word each time the answer of `look` changes, at once at first.

    Something may have moved since the page was made.
    """
    deadline = time.monotonic() + LONGEST_FEED
    before: str | None = None
    while time.monotonic() < deadline:
        now = await services.read(look)
        if now != before:
            yield now
        before = now
        await asyncio.sleep(LOOK_EVERY)


def _downloads(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/traces/{trace_id}", route_class=guarded(services))

    @routes.get("/archive")
    async def archive(trace_id: str, caller: Asking) -> Response:
        return artefacts.archived(
            await services.read(partial(artefacts.packed, tenant=caller.tenant, trace=trace_id)), trace_id
        )

    @routes.get("/artefacts/{path:path}")
    async def artefact(trace_id: str, path: str, caller: Asking) -> Response:
        return artefacts.downloaded(
            await services.read(partial(artefacts.files, tenant=caller.tenant, trace=trace_id)), path
        )

    return routes
