"""Who may ask: tokens and scopes first, bodies later; another tenant's things do not exist."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.house import House

TRACE = "/v1/traces/trace-1"
READING = [
    "/v1/traces", TRACE, f"{TRACE}/events", f"{TRACE}/verify", f"{TRACE}/replay", f"{TRACE}/stream",
    f"{TRACE}/artefacts", f"{TRACE}/artefacts/memory/trace-1/commits/CommitMetadata.json", f"{TRACE}/archive",
    f"{TRACE}/commands/{'0' * 32}", "/v1/releases", "/v1/dead-letters",
]  # fmt: skip
OF_ONE_TRACE = [path for path in READING if path.startswith(TRACE)]
WRITING = ["/v1/modules", f"{TRACE}/commands", "/v1/dead-letters/1/retry"]
JSON = "application/problem+json"


def problem(answer: Any) -> tuple[int, str, str]:
    """Status, reason code and detail of an error; its media type is checked on the way."""
    assert answer.headers["content-type"] == JSON, answer.text
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["type"] == "about:blank"
    return answer.status_code, said["reasonCode"], said["detail"]


@pytest.mark.parametrize("path", READING + WRITING)
def test_every_route_wants_a_token(home: House, path: str) -> None:
    answer = home.anybody().request("POST" if path in WRITING else "GET", path)
    assert problem(answer) == (401, "Unauthenticated", "a valid bearer token is needed")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "given", ["", "Basic YTpi", "Bearer", "Bearer pm_0123456789ab_" + "x" * 43, "Bearer ü"]
)
def test_what_is_no_token_is_refused(home: House, given: str) -> None:
    answer = home.anybody().get("/v1/traces", headers={"Authorization": given.encode()})
    assert problem(answer)[:2] == (401, "Unauthenticated")


def test_a_revoked_token_ends_at_once(home: House) -> None:
    from bot.intake import tokens

    client = home.http()
    assert client.get("/v1/traces").status_code == 200
    with home.store.begin() as session:
        tokens.revoke(session, client.headers["Authorization"].split("_")[1])
    assert problem(client.get("/v1/traces"))[:2] == (401, "Unauthenticated")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        *((path, "read") for path in READING),
        (WRITING[0], "events:write"),
        (WRITING[1], "command"),
        (WRITING[2], "admin"),
    ],
)
def test_every_route_wants_its_scope(home: House, path: str, scope: str) -> None:
    others = tuple({"read", "command", "events:write", "events:any"} - {scope})
    answer = home.http(scopes=others).request("POST" if path in WRITING else "GET", path)
    assert problem(answer) == (403, "ScopeMissing", f"the token lacks the scope '{scope}'")


@pytest.mark.parametrize("path", OF_ONE_TRACE)
def test_another_tenants_trace_does_not_exist(home: House, path: str) -> None:
    mine, other = home.http(), home.http("eve", tenant="other")
    hidden = problem(other.get(path))
    absent = problem(mine.get(path.replace("trace-1", "trace-2")))
    assert hidden[:2] == absent[:2] == (404, "NotFound")
    assert hidden[2] == absent[2].replace("trace-2", "trace-1")


def test_another_tenant_sees_empty_lists(home: House) -> None:
    other = home.http("eve", tenant="other")
    assert other.get("/v1/traces").json() == {"traces": [], "next": None}
    assert other.get("/v1/releases").json() == {"releases": []}
    assert other.get("/v1/dead-letters").json() == {"deadLetters": []}


def test_another_tenants_trace_takes_no_command(home: House) -> None:
    other = home.http("eve", tenant="other")
    answer = other.post(f"{TRACE}/commands", json={"line": "/approve-release production"})
    assert problem(answer) == (404, "NotFound", "There is no trace 'trace-1'.")


def test_the_token_is_looked_at_before_the_body(home: House) -> None:
    """Whoever has no token learns nothing of the body's faults, and can not make us parse it."""
    answer = home.anybody().post(
        "/v1/modules", content=b"{" * 100, headers={"Content-Type": "application/json"}
    )
    assert problem(answer)[:2] == (401, "Unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "NotFound", "There is nothing at this address.")),
        ("PUT", "/v1/traces", (405, "MethodNotAllowed", "This address does not answer that method.")),
        ("DELETE", TRACE, (405, "MethodNotAllowed", "This address does not answer that method.")),
    ],
)
def test_what_is_not_there_is_a_problem(
    home: House, method: str, path: str, expected: tuple[int, str, str]
) -> None:
    assert problem(home.http().request(method, path)) == expected


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/v1/traces?limit=0", "limit"),
        ("/v1/traces?limit=x", "limit"),
        ("/v1/traces?cursor=nonsense", "cursor"),
        ("/v1/traces?module=%00", "module"),
        (f"{TRACE}/events?after=-1", "after"),
        (f"{TRACE}/replay?until=many", "until"),
        ("/v1/traces/..%2Fx", None),
        ("/v1/traces/%20/events", "trace_id"),
        (f"{TRACE}/commands/not-a-correlation", "correlation"),
    ],
)
def test_wrong_parameters_are_named(home: House, path: str, where: str | None) -> None:
    answer = home.http().get(path)
    assert answer.status_code == (422 if where else 404)
    assert answer.json().get("path") == where


def test_an_error_of_ours_says_nothing_of_the_inside(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.api import queries

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(queries, "recent", broken)
    answer = home.http().get("/v1/traces")
    assert problem(answer) == (500, "InternalError", "Something went wrong here; it has been logged.")
