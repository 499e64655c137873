"""`/v1/releases`: what waits, per environment, why, and who can help."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bot.api import queries
from bot.api.access import Asking, guarded
from bot.api.models import ReleaseList, WaitingRelease
from bot.api.problems import responses
from bot.api.services import Services
from bot.domain.release import Release
from bot.domain.trace import TraceState
from bot.studio.blockers import blockers, helpers, next_change
from bot.studio.headline import waiting as open_environments

NEWEST = 1000
"""Traces looked at, the ones that moved last."""


def router(services: Services) -> APIRouter:
    """The route of waiting releases."""
    routes = APIRouter(prefix="/v1", tags=["releases"], route_class=guarded(services, "read"))

    @routes.get("/releases", responses=responses(401, 403, 422))
    async def list_releases(
        caller: Asking,
        environment: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ReleaseList:
        """Releases that are not deployed yet, the one that moved last first."""
        states = await services.read(lambda session: queries.states(session, caller.tenant, limit=NEWEST))
        found = [
            release
            for state in states
            for release in waiting(state)
            if environment in {None, release.environment}
        ]
        return ReleaseList(releases=found[:limit])

    return routes


def waiting(state: TraceState) -> list[WaitingRelease]:
    """The environments of a trace that its head is not deployed to, in the policy's order."""
    change = state.change or {}
    if state.published or change.get("state") == "closed":
        return []
    return [_waiting(state, state.releases[name], change.get("url", "")) for name in open_environments(state)]


def _waiting(state: TraceState, release: Release, change_url: str) -> WaitingRelease:
    return WaitingRelease(
        trace_id=state.trace_id,
        release_id=release.release_id,
        module_id=state.module_id,
        version=state.version,
        environment=release.environment,
        revision=release.revision,
        state=release.shown_state,
        phase=release.phase,
        reason_code=release.reason_code,
        message=" ".join(found.message for found in blockers(release.tree)),
        who_can=list(helpers(release.tree)),
        next_change_at=next_change(release.tree),
        change_url=change_url,
        verdict=release.tree,
    )
