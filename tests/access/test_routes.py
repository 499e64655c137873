"""Every route of the API and of Studio, with every kind of token, of two tenants: the table says who gets in.

The table is written by hand. A route that is not in it, that declares no right, or lets somebody else in, turns
this red.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.api import traces
from bot.intake import tokens
from bot.intake.webhook import webhook_router
from bot.studio import sessions
from bot.studio.pages import studio_router
from tests.access.table import read
from tests.engine.rig import TestForge
from tests.support.house import House, house
from tests.support.story import tell

API = read("""
                                                     | nobody agent read command write any admin
POST /v1/events                                      |   .      x     .     .      x    .    x
POST /v1/modules                                     |   .      .     .     .      x    .    x
POST /v1/evidence                                    |   .      .     .     .      .    .    x
POST /v1/onboarding                                  |   .      .     .     .      .    .    x
GET /v1/traces                                       |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}                            |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/events                     |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/verify                     |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/replay                     |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/stream                     |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/artefacts                  |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/artefacts/{path}           |   .      .     x     .      .    .    x
GET /v1/traces/{trace_id}/archive                    |   .      .     x     .      .    .    x
POST /v1/traces/{trace_id}/commands                  |   .      .     .     x      .    .    x
GET /v1/traces/{trace_id}/commands/{correlation}     |   .      .     x     .      .    .    x
GET /v1/releases                                     |   .      .     x     .      .    .    x
GET /freezes.ics                                     |   .      .     x     .      .    .    x
GET /v1/dead-letters                                 |   .      .     x     .      .    .    x
POST /v1/dead-letters/{letter_id}/retry              |   .      .     .     .      .    .    x
GET /healthz                                         |   x      x     x     x      x    x    x
GET /readyz                                          |   x      x     x     x      x    x    x
POST /webhooks/{forge}                               |   .      .     .     .      .    .    .
""")
"""`/webhooks` takes a signature, and no token opens it."""
DECLARED = {
    "POST /v1/events": "events:write", "POST /v1/modules": "events:write", "POST /v1/evidence": "evidence:write", "POST /v1/onboarding": "admin",
    "POST /v1/traces/{trace_id}/commands": "command", "POST /v1/dead-letters/{letter_id}/retry": "admin",
    "GET /healthz": "none", "GET /readyz": "none", "POST /webhooks/{forge}": "signature",
}  # fmt: skip
"""What the document says of a route; `read` where nothing stands here."""
SCOPES: dict[str, tuple[str, ...]] = {
    "agent": ("agent:code-committer",), "read": ("read",), "command": ("command",), "write": ("events:write",),
    "any": ("events:any",), "admin": ("admin",),
}  # fmt: skip
GIVEN = {
    "{trace_id}": "trace-1", "{correlation}": "0" * 32, "{letter_id}": "1", "{forge}": "local",
    "{path}": "memory/trace-1/commits/CommitMetadata.json", "{path:path}": "memory/x", "{name}": "style.css",
}  # fmt: skip
BODIES = {"POST /v1/traces/{trace_id}/commands": {"line": "/help"}}
SHUT = {401, 403}
STUDIO = read("""
                                        | nobody session
GET /sign-in                            |   x       x
POST /sign-in                           |   x       x
POST /sign-out                          |   x       x
GET /static/{name}                      |   x       x
GET /                                   |   .       x
GET /traces/{trace_id}                  |   .       x
GET /live                               |   .       x
GET /traces/{trace_id}/live             |   .       x
GET /releases/{release}                 |   .       x
GET /releases/{release}/live            |   .       x
GET /traces/{trace_id}/archive          |   .       x
GET /traces/{trace_id}/artefacts/{path:path} |   .       x
""")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('access')}/pointsman.db") as made:
        tell(made.store)
        forges: Any = {"local": TestForge()}
        made.app.include_router(webhook_router(made.runtime.inbox, forges, made.runtime.settings))
        yield made


@pytest.fixture(autouse=True)
def streams_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LONGEST_STREAM", 0.0)
    monkeypatch.setattr("bot.studio.pages.LONGEST_FEED", 0.0)


def operations(app: FastAPI) -> dict[str, dict[str, Any]]:
    """`GET /path` -> what the document says of it."""
    app.openapi_schema = None
    return {
        f"{method.upper()} {path}": operation
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def address(path: str) -> str:
    for name, value in GIVEN.items():
        path = path.replace(name, value)
    return path


def ask(client: TestClient, route: str) -> Any:
    method, path = route.split(" ")
    body = {"json": BODIES.get(route, {})} if method == "POST" else {}
    return client.request(method, address(path), **body, follow_redirects=False)


def client_of(home: House, who: str, tenant: str = "acme") -> TestClient:
    return home.anybody() if who == "nobody" else home.http("ada", tenant=tenant, scopes=SCOPES[who])


def test_the_table_has_every_route_and_each_declares_its_right(home: House) -> None:
    found = operations(home.app)
    assert set(API) == set(found)
    assert {name: operation.get("x-scope") for name, operation in found.items()} == {
        name: DECLARED.get(name, "read") for name in API
    }
    assert set(DECLARED.values()) <= {*tokens.SCOPES, "none", "signature"}


@pytest.mark.parametrize("tenant", ["acme", "umbrella"])
@pytest.mark.parametrize("who", ["nobody", *SCOPES])
def test_whoever_the_table_names_gets_in_and_nobody_else(home: House, who: str, tenant: str) -> None:
    client = client_of(home, who, tenant)
    found = {route: ask(client, route).status_code not in SHUT for route in API}
    assert found == {route: row[who] for route, row in API.items()}


@pytest.mark.parametrize("route", API)
def test_what_is_anothers_is_not_there(home: House, route: str) -> None:
    """Not refused: a refusal would say that it exists."""
    mine, other = client_of(home, "admin"), client_of(home, "admin", "umbrella")
    answer = ask(other, route)
    if "{trace_id}" in route:
        assert (answer.status_code, answer.json()["reasonCode"]) == (404, "NotFound")
        assert ask(mine, route).status_code in {200, 202, 404}
    assert "trace-1" not in answer.text.replace("There is no trace 'trace-1'.", "")
    assert "booking" not in answer.text


def test_a_route_without_a_right_turns_it_red(home: House) -> None:
    app = FastAPI()
    app.include_router(home.app.router)

    @app.get("/v1/everything")
    async def everything() -> dict[str, str]:
        return {}

    assert set(operations(app)) - set(API) == {"GET /v1/everything"}
    assert "x-scope" not in operations(app)["GET /v1/everything"]


def test_a_door_that_is_never_shut_turns_it_red(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "check_scope", lambda _caller, _scope: None)
    with pytest.raises(AssertionError):
        test_whoever_the_table_names_gets_in_and_nobody_else(home, "read", "acme")


def pages(home: House) -> set[str]:
    """Every page of Studio."""
    from bot.api.routes import Services

    app = FastAPI()
    router = studio_router(Services(home.runtime))
    for route in walk(router.routes):
        route.include_in_schema = True
    app.include_router(router)
    return {f"{method} {route.path}" for route in walk(router.routes) for method in route.methods}


def walk(routes: Any) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "path") and hasattr(route, "methods"):
            yield route
        else:
            yield from walk(route.original_router.routes)


def test_every_page_of_studio_is_in_the_table(home: House) -> None:
    assert pages(home) == set(STUDIO)


@pytest.mark.parametrize("who", ["nobody", "session"])
def test_studio_is_read_by_whoever_is_signed_in(home: House, who: str) -> None:
    client = home.anybody()
    for route, row in STUDIO.items():
        client.cookies.clear()
        if who == "session":
            with home.store.begin() as session:
                secret = sessions.begin(
                    session, tokens.create(session, tenant="acme", actor="ada", scopes=("read",))
                )
            client.cookies.set(sessions.COOKIE, str(secret))
        answer = ask(client, route)
        shut = answer.status_code in SHUT and "You are not signed in" in answer.text
        assert shut is not row[who], (route, answer.status_code)


def test_a_session_of_a_token_that_may_not_read_opens_nothing(home: House) -> None:
    with home.store.begin() as session:
        token = tokens.create(session, tenant="acme", actor="ada", scopes=("command",))
        assert sessions.begin(session, token) is None
        forged = tokens.create(
            session, tenant="acme", actor="ada", name=sessions.SESSION, scopes=("command",)
        )
    client = home.anybody()
    client.cookies.set(sessions.COOKIE, forged)
    answer = client.get("/traces/trace-1")
    assert answer.status_code == 403
    assert "booking" not in answer.text
