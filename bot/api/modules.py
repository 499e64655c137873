"""`POST /v1/modules`: generated code comes in.

Everything that can be said of it without a forge is said at once.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any

import rfc8785
from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from bot import messages
from bot.api.access import Asking, guarded
from bot.api.models import Accepted, Submission
from bot.api.problems import responses
from bot.api.services import Services
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.errors import Invalid
from bot.domain.event import Event, derived_id
from bot.engine.purge import said_before
from bot.intake.problem import Problem
from bot.intake.tokens import Caller
from handlers.code_committer import check_module

CAP = 16 * 1024 * 1024
SOURCE = "api"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="The same key is the same submission; without one, the same content is.", max_length=200
    ),
]


def router(services: Services) -> APIRouter:
    """The route that takes modules."""
    routes = APIRouter(prefix="/v1", tags=["modules"], route_class=guarded(services, "events:write", cap=CAP))

    @routes.post("/modules", status_code=202, responses=responses(400, 401, 403, 409, 413, 415, 422, 503))
    async def submit_module(
        submission: Submission, caller: Asking, response: Response, idempotency_key: IdempotencyKey = None
    ) -> Accepted:
        """Submit generated code. 202: stored; commit, change and pipeline follow and show in the trace.

        `Location` is the trace, which answers 404 until the submission is applied: within `Retry-After`.
        """
        services.check_forge(submission.forge)
        module = await run_in_threadpool(checked, submission)
        event = submitted(
            module, caller, at=services.clock(), key=idempotency_key, trace_id=submission.trace_id
        )
        await services.submit(event, source=SOURCE, delivery_id=event.id)
        if idempotency_key is not None:
            await services.read(lambda session: _same_as_before(session, event))
        response.headers.update({"Location": f"/v1/traces/{event.trace_id}", "Retry-After": "1"})
        url = messages.trace_url(services.settings.base_url, event.trace_id)
        return Accepted(trace_id=event.trace_id, event_id=event.id, url=url)

    return routes


def checked(submission: Submission) -> p.ModuleGenerated:
    """The module, when nothing is wrong with it. Raises Problem 422 with a reason code and a path."""
    try:
        module = submission.payload()
        check_module(module)
        rfc8785.dumps(module.model_dump(by_alias=True, exclude_none=True))
    except Invalid as error:
        raise Problem(422, error.reason_code, error.message, path=error.path) from error
    except (
        ValueError,
        UnicodeError,
    ) as error:  # numbers above 2^53, NaN, halves of surrogate pairs: not hashable as text
        raise Problem(
            422, "NotCanonical", f"The module can not be written as canonical JSON: {error}."
        ) from error
    return module


def submitted(
    module: p.ModuleGenerated, caller: Caller, *, at: datetime, key: str | None, trace_id: str | None
) -> Event:
    """The event of a submission.

    Its ids come from the key or the content, so that sending it again changes nothing.
    """
    if key is not None and not KEY.fullmatch(key):
        raise Problem(
            422,
            "InvalidPayload",
            "Idempotency-Key is 1 to 200 visible ASCII characters.",
            path="idempotency-key",
        )
    said = draft(
        "ModuleGenerated", module, actor=caller.actor, module_id=module.module_id, **_context(module)
    )
    named = f"key:{key}" if key else f"content:{hashlib.sha256(rfc8785.dumps(said.data)).hexdigest()}"
    trace = trace_id or f"trace-{derived_id(caller.tenant, named)[:16]}"
    return Event(
        **said.model_dump(exclude_none=True),
        id=derived_id(caller.tenant, trace, "ModuleGenerated", named),
        source="/v1/modules",
        time=at,
        tenant_id=caller.tenant,
        trace_id=trace,
    )


def _context(module: p.ModuleGenerated) -> dict[str, str]:
    """What the seeds write beside the payload's own fields."""
    extra: dict[str, Any] = module.model_extra or {}
    names = {
        "sprint_id": "sprintId",
        "feature_id": "featureId",
        "milestone_id": "milestoneId",
        "project_id": "projectId",
    }
    return {name: extra[wire] for name, wire in names.items() if isinstance(extra.get(wire), str)}


def _same_as_before(session: Session, event: Event) -> None:
    """Of two submissions under one key the first is kept; a different second one is told so."""
    body = said_before(session, event.tenant_id, SOURCE, event.id)
    if body is not None and Event.model_validate_json(body).data != event.data:
        raise Problem(
            409,
            "IdempotencyKeyReused",
            "Another submission was made under this Idempotency-Key.",
            path="idempotency-key",
        )
