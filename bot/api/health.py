"""`/healthz`: this process answers. `/readyz`: it can do its work: database, tables, a worker that lives."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.api.models import Health
from bot.api.services import Services
from bot.log.migrate import SCRIPTS
from bot.log.tables import LEASES

OPEN = {"x-scope": "none"}
"""What needs no token declares that it needs none."""
SEEN_WITHIN = 10.0
"""Seconds since a worker renewed its lease."""


def router(services: Services) -> APIRouter:
    """Both routes; neither needs a token, and neither says anything about anybody's data."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", openapi_extra=OPEN)
    async def healthz() -> Health:
        """The process answers."""
        return Health(ok=True)

    @routes.get("/readyz", responses={503: {"model": Health, "description": "Not ready"}}, openapi_extra=OPEN)
    async def readyz(response: Response) -> Health:
        """Database, tables and a worker are there."""
        try:
            checks = await services.read(_checks)
        except SQLAlchemyError:
            checks = {"database": "unreachable"}
        ok = all(value == "ok" for value in checks.values())
        response.status_code = 200 if ok else 503
        return Health(ok=ok, checks=checks)

    return routes


def newest() -> str:
    """The revision of this release's tables."""
    return str(ScriptDirectory(str(SCRIPTS)).get_current_head())


def _checks(session: Session) -> dict[str, str]:
    if not sa.inspect(session.connection()).has_table("alembic_version"):
        return {"database": "ok", "migrations": "outdated"}
    found = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if found != newest():
        return {"database": "ok", "migrations": "outdated"}
    return {"database": "ok", "migrations": "ok", "worker": "ok" if _worker(session) else "not seen"}


def _worker(session: Session) -> bool:
    renewed = session.execute(sa.select(sa.func.max(LEASES.c.renewed_at))).scalar()
    sqlite = session.get_bind().dialect.name == "sqlite"
    now = (
        time.time()
        if sqlite
        else float(session.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    )
    return renewed is not None and now - float(renewed) < SEEN_WITHIN
