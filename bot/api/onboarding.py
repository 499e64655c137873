"""`POST /v1/onboarding`: have a policy proposed to a repository that has none."""

from __future__ import annotations

from fastapi import APIRouter

from bot import messages
from bot.api.access import Asking, guarded
from bot.api.models import Accepted, Repository
from bot.api.problems import responses
from bot.api.services import Services
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.event import Event, derived_id

SOURCE = "api"
TYPE = "pointsman.OnboardingRequested"


def router(services: Services) -> APIRouter:
    """The route that asks for a proposal."""
    routes = APIRouter(prefix="/v1", tags=["onboarding"], route_class=guarded(services, "admin"))

    @routes.post("/onboarding", status_code=202, responses=responses(401, 403, 413, 415, 422, 503))
    async def propose_policy(asked: Repository, caller: Asking) -> Accepted:
        """Open a change that proposes a policy which only observes, and says what it would have said of the
        last merged changes. Asked again on one day it is the same proposal.
        """
        services.check_forge(asked.forge)
        at = services.clock()
        named = f"{asked.forge}:{asked.repository}:{at:%Y-%m-%d}"
        trace = f"trace-{derived_id(caller.tenant, TYPE, named)[:16]}"
        wanted = p.OnboardingRequested(repository=asked.repository, forge=asked.forge)
        event = Event(
            **draft(TYPE, wanted, actor=caller.actor).model_dump(exclude_none=True),
            id=derived_id(caller.tenant, trace, TYPE),
            source="/v1/onboarding",
            time=at,
            tenant_id=caller.tenant,
            trace_id=trace,
        )
        await services.submit(event, source=SOURCE, delivery_id=event.id)
        url = messages.trace_url(services.settings.base_url, trace)
        return Accepted(trace_id=trace, event_id=event.id, url=url)

    return routes
