"""Requests: limits, outages, pages, certificates, redirects; and the token, which is nowhere else."""

from __future__ import annotations

import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Account, Answered, Api, Budget
from bot.forges.gitlab.forge import GitLabForge
from bot.forges.gitlab.said import Said
from bot.forges.port import Unusable
from bot.settings import Settings
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake.state import Token
from tests.forges.gitlab.fake.world import BOT_LOGIN, TOKEN

CONTEXT = EffectContext("default", "trace-1", lambda _: None)


def settings(**more: Any) -> Settings:
    return Settings(gitlab_login=BOT_LOGIN, **more)


def test_pages_are_followed_to_the_end(desk: Desk) -> None:
    for number in range(5):
        desk.commit(f"f{number}.py", effect_id=f"trace-1.00001{number}.0")
    where = f"/projects/{desk.world.project.id}/repository/commits"
    listed = list(desk.api.list(where, ref_name="feature/x", per_page=2))
    assert len(listed) == 6
    assert [path for method, path in desk.server.asked if path.endswith("/commits") and method == "GET"][
        -3:
    ] == [f"/api/v4{where}"] * 3


def test_a_tree_has_pages_of_another_kind(desk: Desk) -> None:
    files = tuple(e.File(path=f"d/{number:03}.txt", content="x\n") for number in range(150))
    head = desk.do(e.CommitFiles(branch="feature/x", base="main", files=files, message="feat: many")).sha
    facts = desk.do(e.GatherFacts(correlation="c", tree_of=head))
    assert len(facts.tree) == 151


def test_the_next_page_is_asked_for_where_we_ask(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in between may make GitLab write another address than ours into its links."""
    desk.commit()
    monkeypatch.setattr(desk.world.state, "url", "https://inside.invalid")
    where = f"/projects/{desk.world.project.id}/repository/commits"
    assert len(list(desk.api.list(where, ref_name="feature/x", per_page=1))) == 2


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {"Retry-After": "42"}, 42.0), (429, {}, 60.0), (403, {"Retry-After": "5"}, 5.0), (503, {"Retry-After": "9"}, 9.0),
        (500, {}, None), (502, {}, None), (504, {}, None),
    ],
)  # fmt: skip
def test_limits_and_outages_are_waited_for(
    desk: Desk, status: int, headers: dict[str, str], after: float | None
) -> None:
    desk.fault("GET", "/user$", status=status, headers=headers)
    with pytest.raises(Retryable) as error:
        desk.api.get("/user")
    assert error.value.after == after


def test_what_is_used_up_is_not_asked_for(desk: Desk) -> None:
    now = 1_795_000_000.0
    api = Api(desk.api.account, clock=lambda: now)
    desk.server.limit = (2000, 0, int(now) + 33)
    api.get("/user")
    asked = len(desk.server.asked)
    with pytest.raises(Retryable) as error:
        api.get("/user")
    assert (error.value.message, error.value.after) == ("GitLab's rate limit is used up", 33.0)
    assert len(desk.server.asked) == asked
    assert (api.budget.limit, api.budget.remaining) == (2000, 0)


@pytest.mark.parametrize("remaining", [0, 1])
def test_a_budget_ends_with_its_time(remaining: int) -> None:
    budget = Budget()
    budget.take_in({"RateLimit-Limit": "10", "RateLimit-Remaining": str(remaining), "RateLimit-Reset": "100"})
    assert budget.spent(90.0) == (10.0 if remaining == 0 else None)
    assert budget.spent(101.0) is None
    budget.take_in({"RateLimit-Limit": "many"})
    assert budget.limit == 10


def test_nobody_there_is_retried() -> None:
    api = Api(Account("http://127.0.0.1:9", BOT_LOGIN, TOKEN))
    with pytest.raises(Retryable) as error:
        api.get("/user")
    assert (error.value.message, error.value.after) == ("GitLab did not answer (ConnectionError)", None)


def test_an_answer_that_is_no_json_is_retried(desk: Desk) -> None:
    desk.fault("GET", "/user$", kind="truncated")
    with pytest.raises(Retryable):
        desk.api.get("/user")
    assert desk.api.get("/user")["username"] == BOT_LOGIN


def test_what_gitlab_answers_is_for_the_caller(desk: Desk) -> None:
    with pytest.raises(Answered) as answered:
        desk.api.get("/projects/999")
    assert (answered.value.status, answered.value.said) == (404, "404 Project Not Found")
    assert desk.api.find("/projects/999") is None
    assert desk.api.head("/projects/999") is None


def test_a_token_of_either_kind(desk: Desk) -> None:
    desk.world.state.tokens["oauth-token"] = Token(desk.world.bot, kind="oauth")
    for kind, token in (("private", TOKEN), ("oauth", "oauth-token"), ("oauth", TOKEN)):
        api = Api(Account(desk.world.state.url, BOT_LOGIN, token, kind))
        assert api.get("/user")["username"] == BOT_LOGIN
    with pytest.raises(Permanent):
        Api(Account(desk.world.state.url, BOT_LOGIN, "oauth-token", "private")).get("/user")


def test_a_token_that_is_not_accepted(desk: Desk) -> None:
    with pytest.raises(Permanent) as refused:
        Api(Account(desk.world.state.url, BOT_LOGIN, "glpat-wrong-one")).get("/user")
    assert refused.value.reason_code == "BadToken"
    assert (
        refused.value.message
        == "GitLab does not accept the bot's token: set POINTSMAN_GITLAB_TOKEN to a valid one"
    )


def test_a_token_that_may_only_read(desk: Desk) -> None:
    desk.world.state.tokens["reader"] = Token(desk.world.bot, scopes=("read_api",))
    api = Api(Account(desk.world.state.url, BOT_LOGIN, "reader"))
    with pytest.raises(Permanent) as refused:
        api.post("/projects/1/repository/branches", branch="x", ref="main")
    assert refused.value.reason_code == "Forbidden"
    assert refused.value.message == (
        "GitLab does not let the bot do this (insufficient_scope): give the bot's account the role Developer or higher, "
        "and its token the scope `api`"
    )


def test_every_thread_has_a_session_of_its_own(desk: Desk) -> None:
    found: list[Any] = []

    def ask() -> None:
        desk.api.get("/user")
        found.append(desk.api._gitlab())

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 3


# Where the token goes


@contextmanager
def elsewhere(location: str = "") -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that writes down the headers it gets; with `location` it sends everybody on."""
    heard: list[dict[str, str]] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(dict(self.headers))
            self.send_response(302 if location else 200)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - the name http.server calls

        def log_message(self, *_arguments: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["private", "oauth"])
def test_a_redirect_to_an_object_store_does_not_take_the_token_along(kind: str) -> None:
    with (
        elsewhere() as (store, at_store),
        elsewhere(f"{store.replace('127.0.0.1', 'localhost')}/object?signature=x") as (url, at_gitlab),
    ):
        Api(Account(url, BOT_LOGIN, TOKEN, kind)).raw("/projects/1/jobs/1/trace")
    assert any(TOKEN in value for value in at_gitlab[0].values())
    assert not any(TOKEN in value for value in at_store[0].values())


def test_a_redirected_write_says_which_setting_is_wrong() -> None:
    with elsewhere() as (store, _), elsewhere(store) as (url, _), pytest.raises(Permanent) as refused:
        Api(Account(url, BOT_LOGIN, TOKEN)).post("/projects/1/pipeline", ref="main")
    assert refused.value.reason_code == "Redirected"
    assert "POINTSMAN_GITLAB_URL" in refused.value.message


def test_a_netrc_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login eve password leaked\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with elsewhere() as (url, heard):
        Api(Account(url, BOT_LOGIN, TOKEN)).get("/user")
    assert "Authorization" not in heard[0]


FAULTS = [
    {"status": 401}, {"status": 403}, {"status": 404}, {"status": 400}, {"status": 409}, {"status": 422}, {"status": 429}, {"status": 500},
    {"kind": "reset"}, {"kind": "timeout"}, {"kind": "truncated"},
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_token_is_in_no_error_and_no_log(
    desk: Desk, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.fault("*", ".", times=10, body={"message": f"token {TOKEN} is bad", "error": TOKEN}, **fault)
    with pytest.raises((Retryable, Permanent)) as error:
        desk.do(e.CreateTag(name="v1", revision="main"))
    shown = "".join(traceback.format_exception(error.value)) + repr(error.value) + str(error.value.__dict__)
    assert TOKEN not in shown
    assert TOKEN not in caplog.text
    assert error.value.__cause__ is None or TOKEN not in str(error.value.__cause__.__dict__)
    assert TOKEN.encode() not in pickle.dumps(str(error.value))
    assert all(TOKEN not in path for _, path in desk.server.asked)


def test_the_token_is_in_no_repr(desk: Desk) -> None:
    assert TOKEN not in repr(desk.api.account)
    assert TOKEN not in repr(desk.forge.__dict__)


# From the settings


def test_without_an_account_and_a_secret_there_is_no_gitlab() -> None:
    assert GitLabForge.configured(settings(), None) is None  # type: ignore[arg-type]


def test_with_a_secret_alone_it_listens_and_does_nothing(tmp_path: Path) -> None:
    forge = GitLabForge.configured(settings(gitlab_webhook_secret=SecretStr("s3cret")), None)  # type: ignore[arg-type]
    assert forge is not None
    raw = [(b"x-gitlab-token", b"s3cret"), (b"idempotency-key", b"k")]
    assert forge.authenticate({}, raw, b"{}").delivery_id == "k"
    assert forge.normalise({}, b'{"object_kind":"issue"}') == []
    with pytest.raises(Permanent) as refused:
        forge.perform("t.1.0", e.CreateTag(name="v1", revision="main"), CONTEXT)
    assert (refused.value.reason_code, refused.value.message) == (
        "NoAccount",
        "the bot has no account on GitLab: set POINTSMAN_GITLAB_TOKEN",
    )
    with pytest.raises(Permanent):
        forge.export("a/b", "main", "", tmp_path)
    assert list(forge.missed(since=None)) == []  # type: ignore[arg-type]
    assert [one.says for one in forge.examine(("a/b",))] == ["the bot has no account on GitLab"]
    assert [one.says for one in forge.connect("a/b", "https://x")] == ["the bot has no account on GitLab"]


def test_a_secret_that_cannot_be_meant_is_said_at_the_start() -> None:
    with pytest.raises(
        Unusable, match=r"^POINTSMAN_GITLAB_WEBHOOK_SECRET: what follows `whsec_` must be base64$"
    ):
        GitLabForge.configured(settings(gitlab_webhook_secret=SecretStr("good,whsec_$$")), None)  # type: ignore[arg-type]


def test_nobody_is_the_bot_until_it_is_said_who_is() -> None:
    """A name that is there by default may be a stranger's, who could speak into any trace."""
    unnamed = Settings(gitlab_token=SecretStr(TOKEN))
    with pytest.raises(Unusable, match=r"^POINTSMAN_GITLAB_LOGIN is not set: "):
        GitLabForge.configured(unnamed, None)  # type: ignore[arg-type]
    assert Said({}, unnamed.gitlab_login).person("pointsman") == "pointsman"


def test_another_tenant_learns_nothing(desk: Desk) -> None:
    with pytest.raises(Permanent) as refused:
        desk.forge.perform(
            "t.1.0",
            e.GatherFacts(correlation="c", repository=desk.stage.repository),
            EffectContext("other", "t", lambda _: None),
        )
    assert (refused.value.reason_code, refused.value.message) == (
        "NotFound",
        f"there is no repository {desk.stage.repository!r}",
    )
    assert desk.server.asked == []


def test_a_kind_of_effect_that_is_not_known(desk: Desk) -> None:
    with pytest.raises(Permanent) as refused:
        desk.do(e.WriteMemory())
    assert refused.value.reason_code == "UnknownEffect"


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    import subprocess
    import sys

    code = "import sys, bot.forges.gitlab; sys.exit(any(name in sys.modules for name in ('gitlab', 'requests', 'ruamel.yaml')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
