"""All routes of the API.

`app.include_router(router(Services(runtime)))`, then `bot.api.problems.install(app)`.
"""

from __future__ import annotations

from fastapi import APIRouter

from bot.api import (
    artefacts,
    commands,
    dead_letters,
    evidence,
    freezes,
    health,
    modules,
    onboarding,
    releases,
    traces,
)
from bot.api.services import Services

__all__ = ["Services", "router"]


def router(services: Services) -> APIRouter:
    """`/v1/...`, `/healthz` and `/readyz`."""
    routes = APIRouter()
    for part in (
        modules.router, evidence.router, onboarding.router, traces.router, traces.audit_router,
        traces.stream_router, artefacts.router,
        commands.router, releases.router, freezes.router, dead_letters.router, health.router,
    ):  # fmt: skip
        routes.include_router(part(services))
    return routes
