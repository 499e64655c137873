"""The pages: only for whoever is signed in, only of their tenant; text of others stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.intake import tokens
from bot.log import append
from bot.studio import pages, sessions
from tests.support.house import House
from tests.support.story import RELEASED, change, event, module, story

PAGES = [
    "/",
    "/traces/trace-1",
    "/live",
    "/traces/trace-1/live",
    "/traces/trace-1/archive",
    "/traces/trace-1/artefacts/x",
]
OF_ONE_TRACE = [path for path in PAGES if "trace-1" in path]


def signed_in(
    home: House, login: str = "ada", tenant: str = "acme", scopes: tuple[str, ...] = ("read",)
) -> TestClient:
    """A browser with a session."""
    browser = TestClient(home.app, follow_redirects=False, raise_server_exceptions=False)
    answer = browser.post("/sign-in", data={"token": home.token(login, tenant, scopes)})
    assert answer.status_code == 303, answer.text
    return browser


# -- signing in ----------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_a_page_says_how_to_get_one(home: House, path: str) -> None:
    answer = home.anybody().get(path)
    assert answer.status_code == 401
    assert "pointsman token link --login YOU --tenant acme" in answer.text
    assert "booking" not in answer.text


def test_a_token_becomes_a_session_of_its_own(home: House) -> None:
    browser = TestClient(home.app, follow_redirects=False)
    answer = browser.post("/sign-in", data={"token": home.token()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(
        r"pointsman_session=pm_\w+_[\w-]+; HttpOnly; Max-Age=43200; Path=/; SameSite=strict", cookie
    )
    assert home.token() not in cookie
    page = browser.get("/")
    assert page.status_code == 200
    assert "<span>ada " in page.text


def test_the_cookie_is_secure_behind_tls(home: House) -> None:
    browser = TestClient(home.app, base_url="https://bot.example", follow_redirects=False)
    answer = browser.post("/sign-in", data={"token": home.token()})
    assert answer.headers["set-cookie"].endswith("; SameSite=strict; Secure")


@pytest.mark.parametrize("token", ["", "pm_0123456789ab_" + "x" * 43, "ü", "a&b"])
def test_what_is_no_token_does_not_sign_in(home: House, token: str) -> None:
    answer = home.anybody().post("/sign-in", data={"token": token})
    assert answer.status_code == 401
    assert "This token is unknown, expired or used up." in answer.text
    assert "set-cookie" not in answer.headers


def test_a_token_that_may_not_read_does_not_sign_in(home: House) -> None:
    answer = home.anybody().post("/sign-in", data={"token": home.token(scopes=("events:write",))})
    assert answer.status_code == 401


def test_an_api_token_is_no_cookie(home: House) -> None:
    browser = home.anybody()
    browser.cookies.set(sessions.COOKIE, home.token())
    assert browser.get("/").status_code == 401


def test_a_session_is_revoked_by_signing_out(home: House) -> None:
    browser = signed_in(home)
    secret = browser.cookies[sessions.COOKIE]
    answer = browser.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    thief = home.anybody()
    thief.cookies.set(sessions.COOKIE, secret)
    assert thief.get("/").status_code == 401


def test_a_session_that_is_revoked_elsewhere_ends(home: House) -> None:
    browser = signed_in(home)
    with home.store.begin() as session:
        tokens.revoke(session, browser.cookies[sessions.COOKIE].split("_")[1])
    assert browser.get("/").status_code == 401


def link(home: House, **more: Any) -> tuple[str, str]:
    """A sign-in address and the token in it."""
    with home.store.begin() as session:
        address = sessions.link(
            session, tenant="acme", actor="jane.doe", base_url="http://testserver", **more
        )
    page, _, token = address.partition("#")
    return page, token


def test_a_link_signs_in_once(home: House) -> None:
    page, token = link(home)
    assert page == "http://testserver/sign-in"
    browser = TestClient(home.app, follow_redirects=False)
    assert browser.get(page).status_code == 200  # looking at it uses nothing up
    assert browser.post("/sign-in", data={"token": token}).status_code == 303
    assert "<span>jane.doe " in browser.get("/").text
    assert home.anybody().post("/sign-in", data={"token": token}).status_code == 401


def test_a_link_can_lead_to_a_trace(home: House) -> None:
    page, token = link(home, to="/traces/trace-1")
    assert page == "http://testserver/sign-in?to=/traces/trace-1"
    form = TestClient(home.app).get(page).text
    assert '<input type="hidden" name="to" value="/traces/trace-1">' in form
    answer = TestClient(home.app, follow_redirects=False).post(
        "/sign-in", data={"token": token, "to": "/traces/trace-1"}
    )
    assert answer.headers["location"] == "/traces/trace-1"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/traces/../x/..",
        "/traces/a\nb",
        "javascript:x",
        "",
    ],
)
def test_signing_in_never_leads_away(home: House, to: str) -> None:
    _, token = link(home)
    answer = TestClient(home.app, follow_redirects=False).post("/sign-in", data={"token": token, "to": to})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_forms_of_other_sites_do_nothing(home: House, path: str, headers: dict[str, str]) -> None:
    browser = signed_in(home)
    answer = browser.post(path, data={"token": home.token()}, headers=headers)
    assert answer.status_code == 403
    assert "This was sent by another site, so it is not done." in answer.text
    assert browser.get("/").status_code == 200


def test_a_form_of_ours_counts(home: House) -> None:
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    answer = home.anybody().post(
        "/sign-in", data={"token": home.token()}, headers=headers, follow_redirects=False
    )
    assert answer.status_code == 303


def test_a_form_has_an_end(home: House) -> None:
    answer = home.anybody().post("/sign-in", data={"token": "x" * 5000})
    assert answer.status_code == 413


# -- what the pages show ----------------------------------------


def text_of(page: str) -> str:
    """What a reader sees, on one line."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(page.partition("<main")[2])
    return " ".join(" ".join(found).split())


def test_the_first_screen_says_what_blocks_who_can_help_and_when(home: House) -> None:
    seen = text_of(signed_in(home).get("/traces/trace-1").text)
    first = seen[: seen.index("Timeline")]
    for said in (
        "production waits: Frozen by weekend until Mon 2026-11-23 08:00 Europe/Paris.",
        "Can help sam Changes 2026-11-23 07:00 UTC",
        "Can help jane.doe Say /approve-release production REASON",
        "Change #1 open acme/booking",
        "pointsman release approve trace-1 ENVIRONMENT REASON",
        "Unchanged: the hash chain of 11 events holds.",
    ):
        assert said in first, first


def test_the_timeline_says_who_where_and_why(home: House) -> None:
    seen = text_of(signed_in(home).get("/traces/trace-1").text)
    assert (
        "18:00:11 Fri 2026-11-20 /approve-release production let me was refused (UnauthorizedApprover) "
        "mallory may not use /approve-release ; it takes ProductOwner. by mallory CommandRefused #11"
    ) in seen


def test_the_whole_tree_can_be_opened(home: House) -> None:
    seen = text_of(signed_in(home).get("/traces/trace-1").text)
    assert "✓ approved: tests-passed The tests of a1a1a1a passed. has passed, needs passed" in seen


def test_a_released_trace_has_nothing_left_to_say(home: House) -> None:
    seen = text_of(signed_in(home).get("/traces/trace-2").text)
    assert "1.0.0 is released everywhere." in seen
    assert "pointsman release approve" not in seen


def test_the_list_says_what_is_held_up(home: House) -> None:
    seen = text_of(signed_in(home).get("/").text)
    assert seen.count("booking 1.0.0") == 2
    assert "production waits: Frozen by weekend" in seen
    assert " held up." in seen


def test_an_empty_list_says_how_to_begin(home: House) -> None:
    seen = text_of(signed_in(home, "eve", "other").get("/").text)
    assert "pointsman submit FOLDER --repo REPOSITORY --module NAME --version 1.0.0" in seen


def test_downloads_are_downloads(home: House) -> None:
    browser = signed_in(home)
    page = browser.get("/traces/trace-1").text
    links = re.findall(r'href="(/traces/trace-1/(?:archive|artefacts/[^"]+))" download', page)
    assert len(links) > 1
    for address in links:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize("path", OF_ONE_TRACE)
def test_another_tenants_trace_has_no_page(home: House, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LONGEST_FEED", 0.1)
    answer = signed_in(home, "eve", "other").get(path)
    assert "booking" not in answer.text
    if not path.endswith("/live"):
        assert answer.status_code == 404
        assert "There is no trace" in text_of(answer.text)


@pytest.mark.parametrize("path", ["/traces/none", "/traces/%00", "/static/none.css", "/static/..%2Fpages.py"])
def test_what_is_not_there_is_a_page_too(home: House, path: str) -> None:
    answer = signed_in(home).get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] in {"text/html; charset=utf-8", "application/problem+json"}


# -- nothing of others' text runs ----------------------------------------

EVIL_RELEASE = "release-evil"
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def evil_trace(home: House) -> None:
    """A trace in which everybody says something wicked, wherever they can."""
    happened = [
        event(
            1,
            "ModuleGenerated",
            module(moduleId=EVIL, repository=EVIL, summary=EVIL),
            {"actor": EVIL},
            trace="evil",
        ),
        event(
            2,
            "ChangeOpened",
            change(title=EVIL, author=EVIL, source=EVIL, url="javascript:alert(1)"),
            trace="evil",
        ),
        event(
            3,
            "ManualInterventionRequired",
            {"reasonCode": EVIL, "message": EVIL + "`<b>`", "role": EVIL},
            trace="evil",
        ),
        event(
            4,
            EVIL,
            {"reason": EVIL, "url": f"https://x/{EVIL}"},
            {"agentId": EVIL, "environment": EVIL},
            trace="evil",
        ),
    ]
    told = [
        one
        for one in story("evil", then=RELEASED)
        if one.type in {"pointsman.VerdictChanged", "CommandRefused"}
    ]
    for number, one in enumerate(told, start=5):
        said = poisoned(one.data)
        happened.append(
            one.model_copy(
                update={"id": f"evil-{number}", "data": said, "environment": EVIL, "release_id": EVIL_RELEASE}
            )
        )
    with home.store.begin() as session:
        append(session, happened)


def poisoned(value: Any) -> Any:
    """Every text that people write, replaced; shas, states and moments stay what the models ask for."""
    if isinstance(value, dict):
        kept = {"state", "revision", "next_change_at", "phase", "digest", "policyDigest"}
        return {key: inner if key in kept else poisoned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    return EVIL if isinstance(value, str) else value


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/traces/evil",
        "/traces/%3Cscript%3E",
        "/sign-in?to=%22%3E%3Cscript%3E",
        f"/releases/{EVIL_RELEASE}?trace=evil",
        "/releases/%3Cscript%3E?trace=%22%3E%3Cscript%3E",
    ],
)
def test_wicked_text_stays_text(home: House, path: str) -> None:
    with home.store.read() as session:
        from bot.api.queries import head_sequence

        told = head_sequence(session, "acme", "evil")
    if not told:
        evil_trace(home)
    answer = signed_in(home).get(path)
    elements = Elements(answer.text).found
    scripts = [attributes for tag, attributes in elements if tag == "script"]
    assert scripts == [{"src": "/static/studio.js", "defer": None}]
    assert [attributes["src"] for tag, attributes in elements if tag == "img"] == ["/static/studio.svg"]
    assert not [
        name for _, attributes in elements for name in attributes if name.startswith("on") or name == "style"
    ]
    links = [str(attributes.get("href", "")) for tag, attributes in elements if tag == "a"]
    assert not [address for address in links if not address.startswith(("/", "#", "http://", "https://"))]
    if "evil" in path:
        assert text_of(answer.text).count("<script>alert(1)</script>") > 10


@pytest.mark.parametrize("path", ["/", "/traces/trace-1", "/sign-in", "/traces/none"])
def test_every_page_forbids_what_it_does_not_need(home: House, path: str) -> None:
    headers = signed_in(home).get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_pages_ask_nobody_else_for_anything(home: House) -> None:
    browser = signed_in(home)
    for path in ("/", "/traces/trace-1"):
        for tag, attributes in Elements(browser.get(path).text).found:
            if tag in {"script", "link", "img"}:
                assert str(attributes.get("src") or attributes.get("href")).startswith("/static/")
    for name, kind in (
        ("studio.css", "text/css"),
        ("studio.js", "text/javascript"),
        ("studio.svg", "image/svg+xml"),
    ):
        answer = home.anybody().get(f"/static/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert "http" not in re.sub(r"https?://www\.w3\.org/2000/svg", "", answer.text)


def test_a_page_can_be_read_by_machines_for_people(home: House) -> None:
    """Language, one first heading, labels, names of sections, a way past the bar."""
    for path in ("/", "/traces/trace-1", "/sign-in"):
        page = signed_in(home).get(path).text
        elements = Elements(page).found
        assert ("html", {"lang": "en"}) in elements
        assert [tag for tag, _ in elements].count("h1") == 1
        assert [tag for tag, _ in elements].count("main") == 1
        assert 'href="#main"' in page
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
        labels = {attributes.get("for") for tag, attributes in elements if tag == "label"}
        inputs = [a for tag, a in elements if tag == "input" and a.get("type") not in {"hidden", "checkbox"}]
        assert {a["id"] for a in inputs} <= labels
        ids = [a["id"] for _, a in elements if "id" in a]
        assert len(ids) == len(set(ids))


# -- live ----------------------------------------


def test_the_feed_says_only_that_something_moved(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LONGEST_FEED", 0.2)
    browser = signed_in(home)
    of_trace = browser.get("/traces/trace-1/live")
    assert of_trace.headers["content-type"].startswith("text/event-stream")
    assert of_trace.text == "event: moved\ndata: 11\n\n"
    assert re.fullmatch(r"event: moved\ndata: \d+\.\d+\n\n", browser.get("/live").text)


def test_a_fault_of_ours_is_a_page(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    browser = signed_in(home)
    monkeypatch.setattr(pages, "load", broken)
    answer = browser.get("/traces/trace-1")
    assert answer.status_code == 500
    assert "Something went wrong here. It has been logged." in answer.text
    assert "secret detail" not in answer.text
