"""`/freezes.ics`: when the environments of a repository are closed, for people's calendars."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from bot.api import queries
from bot.api.access import Asking, guarded
from bot.api.problems import not_found, responses
from bot.api.services import Services
from bot.domain.errors import Invalid
from bot.domain.trace import TraceState
from handlers.policy import policy_of
from policies import calendar_export
from policies.spans import CalendarError

NEWEST = 1000
"""Traces looked at for the newest policy of a repository."""


def router(services: Services) -> APIRouter:
    """The route of the calendar."""
    routes = APIRouter(tags=["releases"], route_class=guarded(services, "read"))

    @routes.get("/freezes.ics", responses=responses(401, 403, 404, 422), response_class=Response)
    async def freezes(
        caller: Asking,
        repository: Annotated[str | None, Query(max_length=300)] = None,
        environment: Annotated[str | None, Query(max_length=100)] = None,
    ) -> Response:
        """An iCalendar file: what is closed from a month ago until a year ahead, by the policy read last.

        `repository` may be left out when the tenant has one only.
        """
        states = await services.read(lambda session: queries.states(session, caller.tenant, limit=NEWEST))
        text = written(newest(states, repository), environment, datetime.now(UTC))
        return Response(text, media_type="text/calendar; charset=utf-8")

    return routes


def newest(states: list[TraceState], repository: str | None) -> TraceState:
    """The trace that moved last of a repository whose policy is known. Raises Problem, Invalid."""
    known = [state for state in states if policy_of(state) and repository in {None, state.repository}]
    names = sorted({state.repository for state in known})
    if not known:
        raise not_found("policy of", repository or "any repository")
    if len(names) > 1:
        raise Invalid("RepositoryRequired", f"say which repository: {', '.join(names)}", path="repository")
    return known[0]


def written(state: TraceState, environment: str | None, now: datetime) -> str:
    """The calendar. Raises Problem, Invalid."""
    policy = policy_of(state)
    assert policy is not None
    if environment not in {None, *policy.environments}:
        raise not_found("environment", environment or "")
    try:
        return calendar_export.export(
            policy, state.calendars, now, tenant=state.tenant_id, environment=environment,
            name=f"Release freezes of {state.repository}",
        )  # fmt: skip
    except CalendarError as error:
        raise Invalid("CalendarUnusable", str(error)) from None
