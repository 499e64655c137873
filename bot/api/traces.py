"""`/v1/traces`: lists, one trace, its events as they come, proof and replay."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.orm import Session

from bot.api import queries
from bot.api.access import Asking, guarded
from bot.api.models import (
    TRACE,
    EventList,
    Replayed,
    SnapshotState,
    TraceDocument,
    TraceItem,
    TraceList,
    Verification,
)
from bot.api.problems import not_found, responses
from bot.api.services import Services
from bot.domain.event import Event
from bot.intake.problem import Problem
from bot.log import events, load, replay, verify

LONGEST_STREAM = 600.0
"""Seconds; then the client comes back, and its token is looked at again."""
LOOK_EVERY = 0.5
TraceId = Annotated[str, Path(pattern=TRACE, description="Id of a trace of the token's tenant.")]
After = Annotated[int, Query(ge=0, le=2**53, description="Only events with a higher sequence.")]
ERRORS = responses(401, 403, 404, 422)


def existing(session: Session, tenant: str, trace: str) -> int:
    """The last sequence of a trace. Raises Problem 404: another tenant's trace does not exist."""
    last = queries.head_sequence(session, tenant, trace)
    if not last:
        raise not_found("trace", trace)
    return last


def router(services: Services) -> APIRouter:
    """The routes that read traces."""
    routes = APIRouter(prefix="/v1/traces", tags=["traces"], route_class=guarded(services, "read"))

    @routes.get("", responses=responses(401, 403, 422))
    async def list_traces(
        caller: Asking,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
        module: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    ) -> TraceList:
        """The tenant's traces, the one that moved last first."""
        before = _decoded(cursor) if cursor else None
        found = await services.read(
            lambda session: queries.recent(
                session, caller.tenant, limit=limit + 1, before=before, module=module
            )
        )
        page = found[:limit]
        more = _encoded(page[-1]) if len(found) > limit else None
        return TraceList(traces=[TraceItem.model_validate(line.to_json()) for line in page], next=more)

    @routes.get("/{trace_id}", responses=ERRORS)
    async def show_trace(trace_id: TraceId, caller: Asking) -> TraceDocument:
        """Every event of a trace, and its state."""

        def question(session: Session) -> dict[str, Any]:
            existing(session, caller.tenant, trace_id)
            return queries.document(
                load(session, caller.tenant, trace_id), events(session, caller.tenant, trace_id)
            )

        return TraceDocument.model_validate(await services.read(question))

    @routes.get("/{trace_id}/events", responses=ERRORS)
    async def list_events(
        trace_id: TraceId, caller: Asking, after: After = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 500
    ) -> EventList:
        """The events after a sequence, in order."""

        def question(session: Session) -> list[dict[str, Any]]:
            existing(session, caller.tenant, trace_id)
            return [event.to_json() for event in events(session, caller.tenant, trace_id, after, limit)]

        found = await services.read(question)
        return EventList(events=found, last=found[-1]["sequence"] if found else after)

    return routes


def audit_router(services: Services) -> APIRouter:
    """The routes that hold a trace against its own log."""
    routes = APIRouter(prefix="/v1/traces", tags=["traces"], route_class=guarded(services, "read"))

    @routes.get("/{trace_id}/verify", responses=ERRORS)
    async def verify_trace(trace_id: TraceId, caller: Asking) -> Verification:
        """Recompute every hash of the trace and compare every column."""

        def question(session: Session) -> dict[str, Any]:
            existing(session, caller.tenant, trace_id)
            return verify(session, caller.tenant, trace_id)

        return Verification.model_validate(await services.read(question))

    @routes.get("/{trace_id}/replay", responses=ERRORS)
    async def replay_trace(
        trace_id: TraceId, caller: Asking, until: Annotated[int | None, Query(ge=0, le=2**53)] = None
    ) -> Replayed:
        """Fold the events again, up to `until`, and compare the stored state with the whole fold."""

        def question(session: Session) -> Replayed:
            existing(session, caller.tenant, trace_id)
            state = replay(session, caller.tenant, trace_id, until)
            stored = queries.snapshot(session, caller.tenant, trace_id)
            kept = SnapshotState(sequence=stored.sequence, equal=stored.equal)
            return Replayed(trace_id=trace_id, until=state.sequence, state=state.to_json(), snapshot=kept)

        return await services.read(question)

    return routes


async def _began(
    request: Request,
    trace_id: TraceId,
    caller: Asking,
    after: After = 0,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> int:
    """Where the feed begins. A dependency, because errors must be answered before the stream has begun."""
    services: Services = request.state.services
    await services.read(lambda session: existing(session, caller.tenant, trace_id))
    if last_event_id is None:
        return after
    if not last_event_id.isascii() or not last_event_id.isdigit():
        raise Problem(
            422, "InvalidPayload", "Last-Event-ID is the sequence of an event.", path="last-event-id"
        )
    return int(last_event_id)


def stream_router(services: Services) -> APIRouter:
    """The live feed: server-sent events with the sequence as their id."""
    routes = APIRouter(prefix="/v1/traces", tags=["traces"], route_class=guarded(services, "read"))

    @routes.get("/{trace_id}/stream", response_class=EventSourceResponse, responses=ERRORS)
    async def stream_trace(
        trace_id: TraceId, caller: Asking, begin: Annotated[int, Depends(_began)]
    ) -> AsyncIterator[ServerSentEvent]:
        """Events as they are appended.

        Send `Last-Event-ID` (browsers do) or `after` to go on where you were.
        """
        async for event in follow(services, caller.tenant, trace_id, begin):
            yield ServerSentEvent(data=event.to_json(), event=event.type, id=str(event.sequence))

    return routes


async def follow(services: Services, tenant: str, trace: str, after: int) -> AsyncIterator[Event]:
    """The events of a trace from `after` on, as they come, for at most `LONGEST_STREAM` seconds."""
    deadline = time.monotonic() + LONGEST_STREAM
    while time.monotonic() < deadline:
        for event in await services.read(partial(_newer, tenant=tenant, trace=trace, after=after)):
            after = event.sequence
            yield event
        await asyncio.sleep(LOOK_EVERY)


def _newer(session: Session, *, tenant: str, trace: str, after: int) -> list[Event]:
    """Looks at the trace's head first: that is one row, and mostly nothing is new."""
    if queries.head_sequence(session, tenant, trace) <= after:
        return []
    return events(session, tenant, trace, after, 200)


def _encoded(line: queries.TraceLine) -> str:
    return base64.urlsafe_b64encode(f"{line.updated_at} {line.trace_id}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    moment, found, trace = text.partition(" ")
    if not found or "\x00" in text:
        raise Problem(422, "InvalidPayload", "The cursor is not one that this API gave.", path="cursor")
    return moment, trace
