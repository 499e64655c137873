"""`/v1/dead-letters`: what came in and could not be applied, and trying one again."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool

from bot.api.access import Asking, guarded
from bot.api.models import DeadLetterItem, DeadLetterList, Retried
from bot.api.problems import not_found, responses
from bot.api.services import Services
from bot.engine import quarantine
from bot.intake.problem import Problem
from bot.log.tables import DeadLetter

LetterId = Annotated[int, Path(ge=1, le=2**53)]


def router(services: Services) -> APIRouter:
    """The routes of dead letters."""
    routes = APIRouter()
    routes.include_router(_listing(services))
    routes.include_router(_retrying(services))
    return routes


def _listing(services: Services) -> APIRouter:
    routes = APIRouter(
        prefix="/v1/dead-letters", tags=["dead letters"], route_class=guarded(services, "read")
    )

    @routes.get("", responses=responses(401, 403, 422))
    async def list_dead_letters(
        caller: Asking, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> DeadLetterList:
        """Dead letters of the tenant, the latest first."""
        rows = await services.read(lambda session: quarantine.letters(session, caller.tenant, limit=limit))
        names = DeadLetterItem.model_fields.keys() - {"trace_id"}
        items = [DeadLetterItem(trace_id=row["trace"], **{name: row[name] for name in names}) for row in rows]
        return DeadLetterList(dead_letters=items)

    return routes


def _retrying(services: Services) -> APIRouter:
    routes = APIRouter(
        prefix="/v1/dead-letters", tags=["dead letters"], route_class=guarded(services, "admin")
    )

    @routes.post(
        "/{letter_id}/retry", status_code=202, responses=responses(401, 403, 404, 409, 413, 415, 422)
    )
    async def retry_dead_letter(letter_id: LetterId, caller: Asking) -> Retried:
        """Apply a quarantined row once more."""
        mine = sa.select(DeadLetter.id).where(DeadLetter.id == letter_id, DeadLetter.tenant == caller.tenant)  # type: ignore[call-overload]
        if await services.read(lambda session: session.execute(mine).first()) is None:
            raise not_found("dead letter", str(letter_id))
        if not await run_in_threadpool(services.runtime.retry, letter_id):
            raise Problem(409, "AlreadyRetried", "This dead letter was tried again already.")
        return Retried(id=letter_id)

    return routes
