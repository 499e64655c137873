"""`POST /v1/evidence?repository=acme/clock&revision=<sha>`: a report as the body, bound to one revision.

curl --data-binary @out/junit.xml -H "Content-Type: application/octet-stream" -H "Authorization: ..." URL
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from bot import messages
from bot.api.access import Asking, guarded
from bot.api.models import Name, Wire
from bot.api.problems import responses
from bot.api.services import Services
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.errors import Invalid
from bot.domain.event import Event, derived_id
from bot.domain.payloads.delivery import SHA
from bot.domain.payloads.evidence import PER_REVISION, Kind
from bot.domain.trace_evidence import identity
from bot.evidence.read import CAP, About, Given, Reader
from bot.forges.port import revision_key
from bot.intake.problem import Problem
from bot.intake.tokens import Caller
from bot.log import load
from bot.projections.trace_keys import KEYS

TYPE = "pointsman.EvidenceAdded"
SOURCE = "api"
SCOPE = "evidence:write"
MEDIA = frozenset(
    {"application/octet-stream", "application/xml", "text/xml", "application/json", "application/sarif+json"}
    | {"application/vnd.cyclonedx+json", "application/vnd.dsse.envelope.v1+json"}
)
ANY_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class ReportOf(BaseModel):
    """What a report is about."""

    repository: Name
    revision: str = Field(pattern=SHA, description="The full commit.")
    forge: Name = "local"
    kind: Literal["", "junit", "cobertura", "sarif", "cyclonedx", "dsse", "sigstore"] = Field(
        default="", description="Seen from the content when it is left out."
    )
    path: str = Field(
        default="",
        max_length=300,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Of the file. A later report of the same kind and path takes its place.",
    )


class EvidenceAccepted(Wire):
    """Stored; the gates that read it are asked again."""

    trace_id: str
    event_id: str
    kind: Kind
    digest: str = Field(description="SHA-256 of the file.")
    url: str = Field(description="The trace in Studio.")
    summary: dict[str, Any] = Field(description="What the file says, in short.")


def router(services: Services) -> APIRouter:
    """The route that takes evidence."""
    reader = Reader(services.settings.sigstore_trusted_root)
    kind_of_route = guarded(services, SCOPE, cap=CAP, media=MEDIA)
    routes = APIRouter(prefix="/v1", tags=["evidence"], route_class=kind_of_route)

    @routes.post(
        "/evidence",
        status_code=202,
        responses=responses(400, 401, 403, 404, 413, 415, 422, 503),
        openapi_extra={"requestBody": {"required": True, "content": ANY_FILE}},
    )
    async def add_evidence(
        request: Request, caller: Asking, of: Annotated[ReportOf, Query()]
    ) -> EvidenceAccepted:
        """Add a report about a revision that the bot knows: JUnit, Cobertura, SARIF, CycloneDX, a DSSE
        envelope or a Sigstore bundle, as it is.
        """
        given = Given(await request.body(), of.path, of.kind)
        said = await run_in_threadpool(_read, reader, given, About(of.repository, of.revision, "upload"))
        trace = await services.read(lambda session: _place(session, caller.tenant, of.forge, said))
        event = _event(said, caller, trace, services)
        await services.submit(event, source=SOURCE, delivery_id=event.id)
        return _answer(event, said, services)

    return routes


def _read(reader: Reader, given: Given, about: About) -> p.EvidenceAdded:
    try:
        return reader.read(given, about)
    except Invalid as error:
        raise Problem(422, error.reason_code, f"{error.message}.", path=error.path) from error


def _place(session: Session, tenant: str, forge: str, said: p.EvidenceAdded) -> str:
    """The trace that owns the revision. Raises Problem 404 and, when it can keep no more, 422."""
    key = revision_key(forge, said.repository, said.revision)
    query = sa.select(KEYS.c.trace).where(KEYS.c.tenant == tenant, KEYS.c.key == key)
    trace = session.execute(query).scalar()
    if trace is None:
        message = (
            f"No trace is about {said.revision} of {forge}:{said.repository}. "
            "Push it, or open a change with it, and add the report then."
        )
        raise Problem(404, "UnknownRevision", message, path="revision")
    known = load(session, tenant, trace).evidence.get(said.revision, ())
    if len([one for one in known if identity(one) != identity(said)]) >= PER_REVISION:
        message = f"{PER_REVISION} reports about this revision are kept already."
        raise Problem(422, "TooMuchEvidence", message, path="revision")
    return str(trace)


def _event(said: p.EvidenceAdded, caller: Caller, trace: str, services: Services) -> Event:
    """The same file for the same revision is the same event, whoever sends it again."""
    named = (said.revision, said.kind, said.name, said.digest)
    return Event(
        **draft(TYPE, said, actor=caller.actor).model_dump(exclude_none=True),
        id=derived_id(caller.tenant, trace, TYPE, *named),
        source="/v1/evidence",
        time=services.clock(),
        tenant_id=caller.tenant,
        trace_id=trace,
    )


def _answer(event: Event, said: p.EvidenceAdded, services: Services) -> EvidenceAccepted:
    report = said.tests or said.coverage or said.scan or said.parts or said.attestation
    assert report is not None  # the reader has read something
    summary = {name: value for name, value in report.to_json().items() if name != "envelope"}
    return EvidenceAccepted(
        trace_id=event.trace_id,
        event_id=event.id,
        kind=said.kind,
        digest=said.digest,
        url=messages.trace_url(services.settings.base_url, event.trace_id),
        summary=summary,
    )
