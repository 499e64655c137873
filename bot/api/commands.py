"""`/v1/traces/{id}/commands`: the comment commands, over HTTP. Same grammar, same handlers, same checks.

POST {"line": "/approve-release production checked"} -> 202 {"correlation": "..."}
GET  .../commands/{correlation} -> {"state": "pending" | "done" | "refused" | "failed", ...}
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path
from sqlalchemy.orm import Session

from bot.api import queries
from bot.api.access import Asking, guarded
from bot.api.models import CommandAnswer, CommandLine, Issued
from bot.api.problems import not_found, responses
from bot.api.services import Services
from bot.api.traces import TraceId, existing
from bot.domain.command import Invocation, bind, parse, suggest
from bot.domain.errors import Refused
from bot.domain.event import Event, derived_id
from bot.domain.trace import TraceState
from bot.intake.problem import Problem
from bot.intake.tokens import Caller
from bot.log import load
from bot.log.tables import INBOX
from handlers.answer import issue
from handlers.decide import registry
from handlers.known import meant, names

SOURCE = "command"
ANSWERS = ("CommandIssued", "CommandRefused", "TaskCompleted", "AgentSkillFailed")
Correlation = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="What the POST answered.")]


def router(services: Services) -> APIRouter:
    """The routes of commands."""
    routes = APIRouter()
    routes.include_router(_issuing(services))
    routes.include_router(_answering(services))
    return routes


def _issuing(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/v1/traces", tags=["commands"], route_class=guarded(services, "command"))

    @routes.post(
        "/{trace_id}/commands", status_code=202, responses=responses(400, 401, 403, 404, 413, 415, 422, 503)
    )
    async def issue_command(
        trace_id: TraceId,
        said: CommandLine,
        caller: Asking,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Issued:
        """Say a command to a trace, as a comment would. The answer follows under the correlation."""
        await services.read(lambda session: existing(session, caller.tenant, trace_id))
        correlation = await say(services, caller, trace_id, said.line, via=said.via, key=idempotency_key)
        return Issued(correlation=correlation, trace_id=trace_id)

    return routes


def _answering(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/v1/traces", tags=["commands"], route_class=guarded(services, "read"))

    @routes.get("/{trace_id}/commands/{correlation}", responses=responses(401, 403, 404, 422))
    async def command_answer(trace_id: TraceId, correlation: Correlation, caller: Asking) -> CommandAnswer:
        """What became of a command."""

        def question(session: Session) -> CommandAnswer:
            existing(session, caller.tenant, trace_id)
            found = answer_of(session, caller.tenant, trace_id, correlation)
            if found is None:
                raise not_found("command", correlation)
            return found

        return await services.read(question)

    return routes


async def say(
    services: Services, caller: Caller, trace: str, line: str, *, via: str, key: str | None = None
) -> str:
    """Put one command into the trace's inbox; returns its correlation.

    Raises Problem 422 when it is not a command of ours.
    """
    invocation = await _understood(services, caller, trace, line)
    named = f"key:{key}" if key else uuid.uuid4().hex
    correlation = derived_id(caller.tenant, trace, "command", caller.actor, named)
    at = services.clock()
    said = issue(invocation, actor=caller.actor, via=via, correlation=correlation, at=at)
    event = Event(
        **said.model_dump(exclude_none=True),
        id=correlation,
        source=f"/v1/commands/{via}",
        time=at,
        tenant_id=caller.tenant,
        trace_id=trace,
    )
    await services.submit(event, source=SOURCE, delivery_id=correlation)
    return correlation


async def _understood(services: Services, caller: Caller, trace: str, line: str) -> Invocation:
    """The one command of a line, as it was written. Raises Problem 422 with the usage or a suggestion."""
    found = parse(line)
    if len(found) != 1:
        raise Problem(
            422,
            "NotACommand",
            "This is not one command such as `/approve-release production reason`.",
            path="line",
        )
    state = TraceState(tenant_id=caller.tenant, trace_id=trace)
    if found[0].name not in registry().commands:  # an alias of the trace's policy, perhaps
        state = await services.read(lambda session: load(session, caller.tenant, trace))
    understood(found[0], state)
    return found[0]


def understood(said: Invocation, state: TraceState) -> None:
    """Raises Problem 422 for what is no command of ours, by whatever name, or lacks an argument."""
    said = meant(said, state)
    entry = registry().commands.get(said.name)
    if entry is None:
        close = suggest(said.name, names(state))
        hint = f" Did you mean `/{close}`?" if close else ""
        raise Problem(422, "UnknownCommand", f"There is no `/{said.name}`.{hint}", path="line")
    try:
        bind(entry.signature, said)
    except Refused as refusal:
        raise Problem(422, refusal.reason_code, refusal.message, path="line") from refusal


def answer_of(session: Session, tenant: str, trace: str, correlation: str) -> CommandAnswer | None:
    """What the log says of a command; pending when it is only in the inbox; None when nobody gave it."""
    issued = queries.event(session, tenant, trace, correlation)
    if issued is None:
        return (
            CommandAnswer(state="pending", correlation=correlation)
            if _waits(session, tenant, trace, correlation)
            else None
        )
    command = {"correlation": correlation, "command": issued.data["command"], "line": issued.data["line"]}
    for event in queries.of_types(session, tenant, trace, ANSWERS, after=issued.sequence):
        if _correlated(event.data) == correlation:
            answered = _answered(event)
            if answered:
                return CommandAnswer(**command, **answered)
    return CommandAnswer(state="pending", **command)


def _correlated(data: dict[str, Any]) -> Any:
    request = data.get("request")
    return data.get("correlation") or (request.get("correlation") if isinstance(request, dict) else None)


def _answered(event: Event) -> dict[str, Any] | None:
    data = event.data
    if event.type == "TaskCompleted":
        return {"state": "done", "reply": data.get("reply", "")}
    if event.type == "CommandRefused":
        return {"state": "refused", "reason_code": data["reasonCode"], "message": data["message"]}
    if event.type == "AgentSkillFailed" and data.get("exhausted"):
        return {"state": "failed", "reason_code": data["reasonCode"], "message": data["message"]}
    return None


def _waits(session: Session, tenant: str, trace: str, correlation: str) -> bool:
    query = sa.select(INBOX.c.seq).where(
        INBOX.c.tenant == tenant,
        INBOX.c.source == SOURCE,
        INBOX.c.delivery_id == correlation,
        INBOX.c.trace == trace,
    )
    return session.execute(query).first() is not None
