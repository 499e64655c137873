"""`POST /webhooks/{forge}`: authenticate the bytes, store them once, answer 202 when they are on disk.

Nothing is parsed here.

A wrong signature or a body over the cap stores nothing. A redelivery is 202 again and has no second effect.
Whatever the body says is found out when it is drained; a body that cannot be read is kept in quarantine, to
be applied after a repair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.forges.port import Forge, Unauthenticated
from bot.intake.arrivals import DELIVERY, Arrival, shard_of
from bot.intake.inbox import Inbox, Unavailable
from bot.intake.problem import Problem, read_body, unavailable
from bot.settings import Settings
from bot.telemetry import get_logger

log = get_logger(__name__)
SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|signature|password", re.IGNORECASE)
"""Never stored: GitLab sends the shared secret itself as a header."""
LONGEST_ID = 200
RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not signed with a secret of ours; nothing was stored"},
    404: {"description": "No such forge"},
    413: {"description": "Body over the cap; nothing was stored"},
    503: {"description": "Cannot be stored now; see Retry-After"},
}


def webhook_router(inbox: Inbox, forges: Mapping[str, Forge], settings: Settings) -> APIRouter:
    """The door that all forges deliver at."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/webhooks/{forge}", status_code=202, responses=RESPONSES, openapi_extra={"x-scope": "signature"}
    )
    async def receive(forge: str, request: Request) -> Response:
        """One delivery of a forge, signed with the secret that both know."""
        try:
            arrival = await _arrival(forge, request, forges, settings)
            await inbox.accept([arrival])
        except Problem as problem:
            return problem.response()
        except Unavailable as error:
            return unavailable(error.retry_after).response()
        return JSONResponse({"deliveryId": arrival.delivery_id}, 202)

    return router


@lru_cache(maxsize=256)
def _may_be_kept(header: str) -> bool:
    return not SECRET_HEADER.search(header)


async def _arrival(name: str, request: Request, forges: Mapping[str, Forge], settings: Settings) -> Arrival:
    forge = forges.get(name)
    if forge is None:
        raise Problem(404, "UnknownForge", f"there is no forge {name!r} here")
    body = await read_body(request, settings.body_cap)
    headers = dict(request.headers)
    try:
        delivery = forge.authenticate(headers, list(request.headers.raw), body)
    except Unauthenticated as error:
        log.warning("delivery_refused", forge=name, reason=str(error))
        raise Problem(401, "Unauthenticated", "the delivery is not signed with a secret of ours") from error
    if not 0 < len(delivery.delivery_id) <= LONGEST_ID:
        raise Problem(400, "InvalidDeliveryId", f"the delivery id must have 1 to {LONGEST_ID} characters")
    return Arrival(
        tenant=settings.tenant,
        source=f"webhooks/{name}",
        kind=DELIVERY,
        delivery_id=delivery.delivery_id,
        body=body,
        shard=shard_of(f"{name}:{delivery.shard_key}", settings.shards),
        headers=json.dumps({key: value for key, value in headers.items() if _may_be_kept(key)}),
    )
