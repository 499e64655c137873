"""Tokens, the webhook's secret and the machine's own settings: in no log, event, comment, page, artefact or child.

Every house is searched at its end (house.py). Here the search is shown to find what is there, and everything that can
be read is read.
"""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.journeys import modules
from tests.journeys.house import House
from tests.journeys.search import leaks


@pytest.fixture(scope="module")
def published(house: House) -> str:
    """A trace that has been through everything: its tests and its service print what they see."""
    house.repository("acme/telling")
    trace = house.submit("acme/telling", "telling", modules.files())
    house.event(trace, "ReleasePublished")
    house.event(trace, "PipelineFinished", revision=house.event(trace, "ChangeMerged").data["mergeSha"])
    return trace


def search(house: House, *values: str) -> list[str]:
    return leaks(house.home, house.environment["POINTSMAN_DATABASE_URL"], house.heard, values or house.hidden)


def test_the_search_finds_what_is_there(house: House, published: str) -> None:
    commit = house.event(published, "CommitReady").data["tree"]
    places = "\n".join(search(house, published, f"Trace-Id: {published}", commit))

    for place in (
        "pointsman.db",
        "the objects of telling.git",
        "memory/",
        "environments/",
        "forge/pipelines/",
    ):
        assert place in places
    assert len(house.hidden) >= 8, "webhook secret, canary, tokens of the forge, tokens of the bot"


def test_jobs_and_services_see_none_of_the_houses_settings(house: House, published: str) -> None:
    jobs = b"".join(p.read_bytes() for p in sorted((house.home / "forge" / "pipelines").rglob("*.log")))
    services = b"".join(p.read_bytes() for p in sorted((house.home / "environments").rglob("*.log")))

    assert b"'CI_COMMIT_SHA'" in jobs
    assert b"'APP_TRACE_ID'" in services
    for log in (jobs, services):
        assert b"POINTSMAN_" not in log
        assert b"AWS_SECRET_ACCESS_KEY" not in log


def pages(house: House, trace: str) -> dict[str, httpx.Response]:
    """Every kind of page and download, as somebody who is signed in to both."""
    found: dict[str, httpx.Response] = {}
    with httpx.Client(base_url=house.url, timeout=60, trust_env=False, follow_redirects=True) as browser:
        signed = browser.post("/sign-in", data={"token": house.token("ada")})
        house.hidden.append(browser.cookies["pointsman_session"])
        entered = browser.post("/forge/sign-in", data={"token": house.people["ada"], "to": "/forge"})
        house.hidden.append(browser.cookies["pointsman_forge"])
        found |= {"/": signed, "/forge": entered}
        own, forge = f"/traces/{trace}", "/forge/acme/telling"
        for page in (
            own,
            f"{own}/archive",
            forge,
            f"{forge}/changes/1",
            f"{forge}/pipelines/1",
            "/traces/none",
        ):
            found[page] = browser.get(page)
    for path in ("", "/events", "/artefacts", "/verify", "/replay", "/archive"):
        found[f"api{path}"] = house.say("GET", f"/v1/traces/{trace}{path}")
    for path in ("/v1/releases", "/v1/dead-letters", "/healthz", "/readyz", "/openapi.json"):
        found[path] = house.say("GET", path)
    return found


def test_no_page_and_no_answer_tells_one(house: House, published: str) -> None:
    found = pages(house, published)

    for name, answer in found.items():
        assert answer.status_code == (404 if name == "/traces/none" else 200), f"{name}: {answer.status_code}"
        house.heard.append(answer.content)
        if answer.content.startswith(b"\x1f\x8b"):
            house.heard.append(gzip.decompress(answer.content))
    assert published.encode() in found[f"/traces/{published}"].content
    assert b"pointsman/release: staging" in found["/forge/acme/telling/changes/1"].content
    assert search(house) == []
