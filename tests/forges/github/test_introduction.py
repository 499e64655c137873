"""The bot becomes a GitHub App: what the page says, what GitHub is asked for, where the key ends up."""

from __future__ import annotations

import html
import json
import re
import stat
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from bot.forges.github.introduce import exchanger, introduce
from bot.forges.github.introduction import Made, Refused, Wanted, application, manifest
from bot.forges.github.permissions import PERMISSIONS, TIERS, Tier, events_of, of_tier
from bot.settings import Settings

PEM = "-----BEGIN RSA PRIVATE KEY-----\nnot-a-real-key\n-----END RSA PRIVATE KEY-----\n"
ANSWER = {
    "id": 4711,
    "slug": "pointsman-acme",
    "html_url": "https://github.com/apps/pointsman-acme",
    "pem": PEM,
    "webhook_secret": "hook-secret-of-the-test",
    "client_secret": "client-secret-of-the-test",
}


def opened(
    home: Path, exchange: Callable[[str], dict[str, Any]] = lambda _: ANSWER
) -> tuple[TestClient, list[Made]]:
    """The page, and the Apps that were made with it."""
    made: list[Made] = []
    wanted = Wanted(home, "https://bot.example.org", organisation="acme")
    return TestClient(application(wanted, "http://127.0.0.1:9999", exchange, made.append)), made


def form(page: str) -> tuple[str, dict[str, Any]]:
    """Where the last form of the page leads, and the manifest in it."""
    action = re.findall(r'action="([^"]+)"', page)[-1]
    value = re.findall(r'name="manifest" value="([^"]+)"', page)[-1]
    return html.unescape(action), json.loads(html.unescape(value))


def state(page: str) -> str:
    return parse_qs(urlsplit(form(page)[0]).query)["state"][0]


def test_the_page_gives_a_reason_for_every_permission(tmp_path: Path) -> None:
    web, _ = opened(tmp_path)
    page = html.unescape(web.get("/").text)
    assert [tier for tier in TIERS if f"<h2>{tier}</h2>" in page] == ["observe", "deliver", "pipelines"]
    assert [one for one in PERMISSIONS if one.reason not in page] == []


def test_github_is_asked_for_exactly_what_was_shown(tmp_path: Path) -> None:
    web, _ = opened(tmp_path)
    action, asked = form(web.get("/").text)
    assert action.startswith("https://github.com/organizations/acme/settings/apps/new?state=")
    assert asked["hook_attributes"] == {"url": "https://bot.example.org/webhooks/github", "active": True}
    assert asked["redirect_url"] == "http://127.0.0.1:9999/made"
    assert asked["public"] is False
    assert asked["default_permissions"] == {
        "metadata": "read",
        "contents": "write",
        "pull_requests": "write",
        "checks": "write",
        "actions": "write",
        "members": "read",
        "administration": "write",
        "issues": "write",
        "deployments": "write",
        "workflows": "write",
        "statuses": "read",
        "merge_queues": "read",
        "environments": "write",
    }


def test_an_app_that_only_observes_can_write_nothing_but_checks() -> None:
    assert {one.name for one in of_tier("observe") if one.access == "write"} == {"checks"}
    asked = manifest(Wanted(Path(), "https://bot.example.org"), "observe", "http://127.0.0.1:1/made")
    assert "deployment_protection_rule" not in asked["default_events"]
    assert set(events_of("observe")) < set(events_of("deliver")) == set(events_of("pipelines"))


DEMANDED = {
    "check_run": "checks",
    "check_suite": "checks",
    "commit_comment": "contents",
    "create": "contents",
    "delete": "contents",
    "deployment": "deployments",
    "deployment_protection_rule": "deployments",
    "deployment_status": "deployments",
    "issue_comment": "issues",
    "member": "members",
    "membership": "members",
    "merge_group": "merge_queues",
    "organization": "members",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "push": "contents",
    "release": "contents",
    "repository": "metadata",
    "status": "statuses",
    "team": "members",
    "workflow_job": "actions",
    "workflow_run": "actions",
}
"""https://docs.github.com/en/webhooks/webhook-events-and-payloads"""


@pytest.mark.parametrize("tier", TIERS)
def test_no_event_is_asked_for_without_its_permission(tier: Tier) -> None:
    """GitHub would make no App at all: "Default events are not supported by permissions"."""
    asked = manifest(Wanted(Path(), "https://bot.example.org"), tier, "http://127.0.0.1:1/made")
    held = asked["default_permissions"]
    assert [event for event in asked["default_events"] if DEMANDED[event] not in held] == []


def test_the_key_is_kept_before_anything_is_said_and_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    web, made = opened(home)
    answer = web.get("/made", params={"code": "c0de", "state": state(web.get("/").text)})
    assert answer.status_code == 200
    assert "pointsman-acme is there" in answer.text
    assert 'href="https://github.com/apps/pointsman-acme/installations/new"' in answer.text
    assert made == [Made("4711", "pointsman-acme", "https://github.com/apps/pointsman-acme")]

    key, kept = home / "github-app.pem", home / "settings.env"
    assert key.read_text() == PEM
    assert {stat.S_IMODE(path.stat().st_mode) for path in (key, kept)} == {0o600}
    for secret in (PEM.splitlines()[1], "hook-secret-of-the-test", "client-secret-of-the-test"):
        assert secret not in answer.text
    assert "client-secret-of-the-test" not in kept.read_text(), "what nobody needs is not kept"


def test_the_bot_is_that_app_from_its_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web, _ = opened(tmp_path)
    web.get("/made", params={"code": "c0de", "state": state(web.get("/").text)})
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    said = Settings()
    assert (said.github_app_id, said.github_app_key_file, said.github_login) == (
        "4711",
        tmp_path / "github-app.pem",
        "pointsman-acme[bot]",
    )
    assert said.webhook_secrets("github") == (b"hook-secret-of-the-test",)
    monkeypatch.setenv("POINTSMAN_GITHUB_APP_ID", "1")
    assert Settings().github_app_id == "1", "the environment overrules what is kept"


@pytest.mark.parametrize("given", ["", "guess", "ünknown"])
def test_an_answer_to_a_form_of_somebody_else_keeps_nothing(tmp_path: Path, given: str) -> None:
    asked: list[str] = []
    web, made = opened(tmp_path, lambda code: asked.append(code) or ANSWER)  # type: ignore[func-returns-value]
    web.get("/")
    answer = web.get("/made", params={"code": "c0de", "state": given})
    assert answer.status_code == 403
    assert "This answer is not to the form of this page. Begin again." in answer.text
    assert (asked, made, list(tmp_path.iterdir())) == ([], [], [])


def test_a_code_that_github_refuses_is_said(tmp_path: Path) -> None:
    def refused(_code: str) -> dict[str, Any]:
        raise Refused("GitHub no longer knows this code (404). Begin again.")

    web, made = opened(tmp_path, refused)
    answer = web.get("/made", params={"code": "old", "state": state(web.get("/").text)})
    assert answer.status_code == 502
    assert "GitHub no longer knows this code (404). Begin again." in answer.text
    assert (made, list(tmp_path.iterdir())) == ([], [])


class GitHub(BaseHTTPRequestHandler):
    """Exchanges one code."""

    paths: list[str]

    def do_POST(self) -> None:
        self.paths.append(self.path)
        good = self.path == "/app-manifests/c0de/conversions"
        body = json.dumps(ANSWER if good else {"message": "Not Found"}).encode()
        self.send_response(201 if good else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def test_a_browser_goes_the_whole_way(tmp_path: Path) -> None:
    class Asked(GitHub):
        paths: list[str] = []  # noqa: RUF012

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answers: list[httpx.Response] = []

    def browse(here: str) -> None:
        def go() -> None:
            with httpx.Client(trust_env=False, timeout=30) as browser:
                given = state(browser.get(here).text)
                answers.append(browser.get(f"{here}/made", params={"code": "../x", "state": given}))
                answers.append(browser.get(f"{here}/made", params={"code": "c0de", "state": given}))

        threading.Thread(target=go, daemon=True).start()

    exchange = exchanger(f"http://127.0.0.1:{server.server_address[1]}")
    made = introduce(Wanted(tmp_path, "https://bot.example.org"), exchange, browse)
    server.shutdown()
    server.server_close()
    assert made == Made("4711", "pointsman-acme", "https://github.com/apps/pointsman-acme")
    assert [answer.status_code for answer in answers] == [502, 200]
    assert Asked.paths == ["/app-manifests/..%2Fx/conversions", "/app-manifests/c0de/conversions"]
