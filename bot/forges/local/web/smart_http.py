"""Git's smart HTTP, answered by `git http-backend`.

The request body is spooled to a file first: streamed through ASGI into the program's standard input, it broke
above one MiB. An answer of `upload-pack` is streamed; that of `receive-pack` is a short report, and waits
until what was pushed is told (bot.forges.local.telling).
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import IO

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bot.domain.errors import Retryable
from bot.forges.local import people
from bot.forges.local.git import environment
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.protection import Rule, hook_variables
from bot.forges.local.tables import ForgeRepository
from bot.forges.local.telling import writing
from bot.forges.local.web import identity

SERVICES = {"git-upload-pack": "read", "git-receive-pack": "write"}
CHUNK = 64 * 1024
HEADER_LIMIT = 64 * 1024


def router(ground: Ground) -> APIRouter:
    """The routes below `/git/<owner>/<name>.git`."""
    routes = APIRouter()

    @routes.get("/git/{owner}/{name}.git/info/refs", include_in_schema=False)
    async def advertise(request: Request, owner: str, name: str) -> Response:
        service = request.query_params.get("service", "")
        return await serve(ground, request, f"{owner}/{name}", service, "info/refs")

    @routes.post("/git/{owner}/{name}.git/{service}", include_in_schema=False)
    async def call(request: Request, owner: str, name: str, service: str) -> Response:
        return await serve(ground, request, f"{owner}/{name}", service, service)

    return routes


async def serve(ground: Ground, request: Request, repository: str, service: str, path: str) -> Response:
    """Authenticate, spool, run, answer."""
    if service not in SERVICES:
        return PlainTextResponse("Only Git's smart protocol is spoken here.\n", status_code=403)
    try:
        login, variables = await run_in_threadpool(admit, ground, request, repository, service)
    except (identity.SignInNeeded, people.NotAllowed, Missing) as error:
        return refused(error, repository)
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it last
    if not await spooled(request, spool, ground.settings.push_limit):
        spool.close()
        limit = ground.settings.push_limit // 1024 // 1024
        return PlainTextResponse(f"A push may have {limit} MiB at most.\n", status_code=413)
    env = environment(cgi(ground, request, repository, path, login) | variables)
    if path == "git-receive-pack":
        return await run_in_threadpool(receive, ground, repository, login, spool, env)
    return await stream(spool, env)


def refused(error: Exception, repository: str) -> Response:
    """What git shows to who may not."""
    if isinstance(error, identity.SignInNeeded):
        challenge = {"WWW-Authenticate": 'Basic realm="Pointsman", charset="UTF-8"'}
        return PlainTextResponse("Sign in with your user name and token.\n", 401, challenge)
    if isinstance(error, people.NotAllowed):
        return PlainTextResponse(f"{error}\n", status_code=403)
    return PlainTextResponse(f"There is no repository {repository} that you may read.\n", status_code=404)


def admit(ground: Ground, request: Request, repository: str, service: str) -> tuple[str, dict[str, str]]:
    """Login, and what the hook is told. Raises SignInNeeded, NotAllowed, Missing."""
    user = identity.caller(ground, request)
    ground.folder(repository)
    with ground.read() as session:
        row = session.get(ForgeRepository, repository)
        if row is None:
            raise Missing(repository)
        people.require(session, repository, user.login, "write" if SERVICES[service] == "write" else "read")
    return user.login, hook_variables([Rule.model_validate(rule) for rule in row.protection], user.login)


async def spooled(request: Request, spool: IO[bytes], limit: int) -> bool:
    """Write the body to the file; False when it is longer than `limit` bytes."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            return False
        await run_in_threadpool(spool.write, chunk)
    spool.seek(0)
    return True


def cgi(ground: Ground, request: Request, repository: str, path: str, login: str) -> dict[str, str]:
    """The variables of a CGI program (https://git-scm.com/docs/git-http-backend)."""
    return {
        "GIT_PROJECT_ROOT": str((ground.settings.home / "repositories").resolve()),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository}.git/{path}",
        "REMOTE_USER": login,
        "REMOTE_ADDR": request.client.host if request.client else "",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        # One variable less to trust: http-backend reads a spooled body to its end.
        "CONTENT_LENGTH": "",
    }


def receive(ground: Ground, repository: str, login: str, spool: IO[bytes], env: dict[str, str]) -> Response:
    """Run a push to its end, tell it, answer."""
    try:
        with spool, writing(ground, repository, login) as folder:
            done = subprocess.run(
                ["git", "http-backend"], stdin=spool, capture_output=True, env=env, cwd=folder, check=False
            )
    except Retryable as error:
        return PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, headers = parse_head(head)
    return Response(body, status_code=status, headers=headers)


async def stream(spool: IO[bytes], env: dict[str, str]) -> Response:
    """Run a fetch, handing on what it prints."""
    with spool:
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=spool,
            stdout=PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=env,
            limit=HEADER_LIMIT,
        )
    assert process.stdout is not None
    try:
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        await process.wait()
        return PlainTextResponse("Git did not answer.\n", status_code=500)
    status, headers = parse_head(head.removesuffix(b"\r\n\r\n"))
    return StreamingResponse(printed(process), status_code=status, headers=headers)


async def printed(process: Process) -> AsyncIterator[bytes]:
    """What the program prints; it is ended when nobody reads on."""
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of a CGI answer."""
    lines = [line.partition(":") for line in head.decode("latin-1").splitlines() if ":" in line]
    headers = {name.strip(): value.strip() for name, _, value in lines}
    status = headers.pop("Status", "200 OK")
    return int(status.split()[0]), headers
