"""`POST /v1/onboarding`: asks once a day, by somebody who may, for a forge that is there."""

from __future__ import annotations

from tests.support.house import House

URL = "/v1/onboarding"
ADMIN = ("admin",)


def test_a_proposal_is_asked_for_once_a_day(home: House) -> None:
    first = home.http("ada", scopes=ADMIN).post(URL, json={"repository": "acme/clock"})
    assert first.status_code == 202
    said = first.json()
    assert said["url"] == f"http://127.0.0.1:8080/traces/{said['traceId']}"
    again = home.http("bob", scopes=ADMIN).post(URL, json={"repository": "acme/clock"})
    other = home.http("bob", scopes=ADMIN).post(URL, json={"repository": "acme/other"})
    assert again.json()["traceId"] == said["traceId"] != other.json()["traceId"]


def test_who_may_not_and_where_nobody_is(home: House) -> None:
    assert home.http("ada").post(URL, json={"repository": "acme/clock"}).status_code == 403
    refused = home.http("ada", scopes=ADMIN).post(URL, json={"repository": "acme/clock", "forge": "gitea"})
    assert refused.status_code == 422
    assert refused.json()["detail"] == (
        "The bot has no account at a forge 'gitea'; it has: local. See `pointsman doctor`."
    )
    module = {
        "repository": "acme/clock",
        "forge": "gitea",
        "moduleId": "clock",
        "version": "1.0.0",
        "files": [],
    }
    assert home.http("ada").post("/v1/modules", json=module).json()["reasonCode"] == "UnknownForge"
