"""What the API asks of a database, it asks of both kinds."""

from __future__ import annotations

import pytest

from tests.support.house import house
from tests.support.story import module, tell

ROUTES = {
    "/v1/traces?limit=1": lambda said: said["traces"][0]["traceId"] == "trace-1" and said["next"],
    "/v1/traces/trace-1": lambda said: len(said["events"]) == 11,
    "/v1/traces/trace-1/events?after=9": lambda said: said["last"] == 11,
    "/v1/traces/trace-1/replay?until=3": lambda said: said["until"] == 3 and said["snapshot"]["equal"],
    "/v1/traces/trace-1/verify": lambda said: said["ok"],
    "/v1/traces/trace-1/artefacts": lambda said: said["artefacts"],
    "/v1/releases?environment=production": lambda said: len(said["releases"]) == 2,
    "/v1/dead-letters": lambda said: said == {"deadLetters": []},
}


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_every_question_is_answered(request: pytest.FixtureRequest, kind: str) -> None:
    with house(request.getfixturevalue(kind)) as home:
        tell(home.store)
        tell(home.store, trace="trace-2")
        tell(home.store, tenant="other", trace="trace-9")
        client = home.http()
        for route, holds in ROUTES.items():
            assert holds(client.get(route).json()), route
        after = client.get("/v1/traces?limit=1").json()["next"]
        assert [one["traceId"] for one in client.get(f"/v1/traces?cursor={after}").json()["traces"]] == [
            "trace-2"
        ]
        accepted = client.post("/v1/modules", json=module(), headers={"Idempotency-Key": "k"})
        again = client.post("/v1/modules", json=module(version="2.0.0"), headers={"Idempotency-Key": "k"})
        assert (accepted.status_code, again.status_code) == (202, 409)
        issued = client.post("/v1/traces/trace-1/commands", json={"line": "/status"}).json()
        answer = client.get(f"/v1/traces/trace-1/commands/{issued['correlation']}").json()
        assert answer["state"] == "pending"
