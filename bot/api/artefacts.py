"""`/v1/traces/{id}/artefacts`.

The files that are a function of a trace's events; `/archive` has them all and the events.
"""

from __future__ import annotations

import hashlib
import mimetypes
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session

from bot.api.access import Asking, guarded
from bot.api.models import Artefact, ArtefactList
from bot.api.problems import not_found, responses
from bot.api.services import Services
from bot.api.traces import TraceId, existing
from bot.log import events
from bot.memory.archive import export
from bot.memory.layout import trace_folder
from bot.memory.project import fold, project

ERRORS = responses(401, 403, 404, 422)
BINARY = {"type": "string", "contentMediaType": "application/octet-stream"}
TYPES = {
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".md": "text/markdown",
    ".jsonl": "application/jsonl",
}
FilePath = Annotated[str, Path(pattern=r"^[^\x00]{1,1000}$", description="As listed.")]


def router(services: Services) -> APIRouter:
    """The routes of artefacts."""
    routes = APIRouter(
        prefix="/v1/traces/{trace_id}", tags=["artefacts"], route_class=guarded(services, "read")
    )

    @routes.get("/artefacts", responses=ERRORS)
    async def list_artefacts(trace_id: TraceId, caller: Asking) -> ArtefactList:
        """The artefacts of a trace, by path."""
        found = await services.read(lambda session: files(session, caller.tenant, trace_id))
        return ArtefactList(
            trace_id=trace_id, artefacts=[described(path, content) for path, content in found.items()]
        )

    @routes.get(
        "/artefacts/{path:path}",
        response_class=Response,
        responses=ERRORS | {200: {"content": {"*/*": {"schema": BINARY}}}},
    )
    async def read_artefact(trace_id: TraceId, path: FilePath, caller: Asking) -> Response:
        """One artefact."""
        return downloaded(await services.read(lambda session: files(session, caller.tenant, trace_id)), path)

    @routes.get(
        "/archive",
        response_class=Response,
        responses=ERRORS | {200: {"content": {"application/gzip": {"schema": BINARY}}}},
    )
    async def read_archive(trace_id: TraceId, caller: Asking) -> Response:
        """Artefacts, events and their checksums in one `.tar.gz`."""
        return archived(
            await services.read(lambda session: packed(session, caller.tenant, trace_id)), trace_id
        )

    return routes


def files(session: Session, tenant: str, trace: str) -> dict[str, bytes]:
    """Path -> content of a trace's artefacts. Raises Problem 404 when the tenant has no such trace."""
    existing(session, tenant, trace)
    happened = events(session, tenant, trace)
    return {path: text.encode() for path, text in project(fold(tenant, trace, happened), happened).items()}


def packed(session: Session, tenant: str, trace: str) -> bytes:
    """The archive of a trace. Raises Problem 404."""
    existing(session, tenant, trace)
    return export(tenant, trace, events(session, tenant, trace))


def described(path: str, content: bytes) -> Artefact:
    """What a list says of a file."""
    return Artefact(
        path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), media_type=media_type(path)
    )


def media_type(path: str) -> str:
    """By the file's name."""
    suffix = "." + path.rpartition(".")[2]
    return TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def downloaded(found: dict[str, bytes], path: str) -> Response:
    """One file, never shown by a browser as a page of ours."""
    if path not in found:
        raise not_found("artefact", path)
    return _attachment(found[path], path.rpartition("/")[2], media_type(path))


def archived(content: bytes, trace: str) -> Response:
    """The archive as a download."""
    return _attachment(content, f"{trace_folder(trace)}.tar.gz", "application/gzip")


def _attachment(content: bytes, name: str, kind: str) -> Response:
    plain = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name
    )
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=kind, headers=headers)
