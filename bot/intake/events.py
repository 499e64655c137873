"""`POST /v1/events`: facts from agents and tools, as CloudEvents or in the shapes of the seeds.

Structured, binary and batch mode.

Everything is checked before anything is stored: one wrong event of a batch, and none of the batch is taken.
202 when all of it is on disk; sent again, it is stored once.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.errors import Invalid
from bot.domain.event import Event
from bot.intake.agents import of_its_task
from bot.intake.arrivals import event_arrival
from bot.intake.envelope import Forbidden, read_event, rfc8785_text
from bot.intake.inbox import Inbox, Unavailable
from bot.intake.problem import Problem, read_body, unavailable
from bot.intake.tokens import Caller, require
from bot.log.fold import load
from bot.log.store import Store
from bot.settings import Settings

LARGEST_BATCH = 500
SCOPE = "events:write"
JSON_TYPES = frozenset(
    {"application/json", "application/cloudevents+json", "application/cloudevents-batch+json", ""}
)
BATCH = "application/cloudevents-batch+json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "Not JSON"},
    401: {"description": "No valid bearer token"},
    403: {"description": "The token lacks the scope, or may not state this type"},
    413: {"description": "Body over the cap"},
    415: {"description": "Not a JSON content type"},
    422: {
        "description": "An event that does not fit its model; `errors` name the fields; nothing was stored"
    },
    503: {"description": "Cannot be stored now; see Retry-After"},
}


def events_router(store: Store, inbox: Inbox, settings: Settings) -> APIRouter:
    """The door for events over HTTP."""
    router = APIRouter(tags=["events"])

    @router.post("/v1/events", status_code=202, responses=RESPONSES, openapi_extra={"x-scope": SCOPE})
    async def receive(request: Request) -> Response:
        """One event or a batch."""
        try:
            caller = await run_in_threadpool(_caller, store, request)
            body = await read_body(request, settings.body_cap)
            events = _events(_items(request, body), caller)
            if caller.agent is not None:
                events = await run_in_threadpool(_of_tasks, events, caller, caller.agent, store)
            await inbox.accept([event_arrival(event, "api", event.id, settings.shards) for event in events])
        except Problem as problem:
            return problem.response()
        except Unavailable as error:
            return unavailable(error.retry_after).response()
        return JSONResponse({"accepted": [_answer(event) for event in events]}, 202)

    return router


def _caller(store: Store, request: Request) -> Caller:
    return require(store, request, SCOPE, agents=True)


def _of_tasks(events: list[Event], caller: Caller, agent: str, store: Store) -> list[Event]:
    """The outcomes of one agent's tasks, or a Problem for the first that is none."""
    with store.read() as session:
        state = cache(partial(load, session, caller.tenant))
        try:
            return [of_its_task(event, agent, state) for event in events]
        except Forbidden as error:
            raise Problem(403, "NotYourTask", str(error)) from error
        except Invalid as error:
            said = {"path": error.path, "reasonCode": error.reason_code, "message": error.message}
            detail = f"{error.path}: {error.message}; nothing was stored"
            raise Problem(422, error.reason_code, detail, errors=[said]) from error


def _answer(event: Event) -> dict[str, str]:
    return {"id": event.id, "traceId": event.trace_id, "type": event.type}


def _items(request: Request, body: bytes) -> tuple[list[Any], bool]:
    """The events as sent, and whether they came as a list."""
    content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content not in JSON_TYPES:
        raise Problem(
            415, "UnsupportedMediaType", f"{content!r} is not taken here; send application/cloudevents+json"
        )
    try:
        sent = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "InvalidJson", f"the body is not JSON: {error}") from error
    if "ce-specversion" in request.headers:
        attributes = {
            name.removeprefix("ce-"): value
            for name, value in request.headers.items()
            if name.startswith("ce-")
        }
        return [attributes | {"data": sent}], False
    if isinstance(sent, list):
        if not 0 < len(sent) <= LARGEST_BATCH:
            raise Problem(422, "InvalidBatch", f"a batch has 1 to {LARGEST_BATCH} events", errors=[])
        return sent, True
    if content == BATCH:
        raise Problem(422, "InvalidBatch", "a batch is a JSON list of events", errors=[])
    return [sent], False


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _events(items: tuple[list[Any], bool], caller: Caller) -> list[Event]:
    """All events, or a Problem that names every wrong one."""
    received = datetime.now(UTC)
    events: list[Event] = []
    errors: list[dict[str, str]] = []
    for index, raw in enumerate(items[0]):
        try:
            event = read_event(raw, caller, received)
            rfc8785_text(event.to_json())
            events.append(event)
        except Forbidden as error:
            raise Problem(403, "ForbiddenEventType", str(error)) from error
        except Invalid as error:
            prefix = f"[{index}]" if items[1] else ""
            path = ".".join(part for part in (prefix, error.path) if part)
            errors.append({"path": path, "reasonCode": error.reason_code, "message": error.message})
    if errors:
        first = errors[0]
        raise Problem(
            422,
            first["reasonCode"],
            f"{first['path']}: {first['message']}; nothing was stored",
            errors=errors,
        )
    return events
