"""Whom the bot is on GitHub, what its tokens may do, and that nobody gets to see them."""

from __future__ import annotations

import itertools
import json
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import telemetry
from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github import GitHubForge
from bot.forges.port import Unusable
from bot.log.store import Store
from bot.settings import Settings
from tests.forges.conformance.stages.github import GitHubStage, opened
from tests.forges.github.conftest import TOKEN, Do, doing
from tests.forges.github.deeds import BRANCH, DEEDS, committed, proposed
from tests.forges.github.fake import routes_app


def configured(home: Path, **said: Any) -> GitHubForge | None:
    return GitHubForge.configured(Settings(home=home, **said), Store(f"sqlite:///{home}/none.db"))


def asked(stage: GitHubStage) -> list[dict[str, str]]:
    return [one.answer["permissions"] for one in stage.server.asked("access_tokens")]


def test_each_token_may_do_one_thing_in_one_repository(stage: GitHubStage, do: Do) -> None:
    committed(stage)
    assert (
        asked(stage)
        == [
            {"contents": "write", "metadata": "read"},
            {"contents": "read", "pull_requests": "read", "metadata": "read"},
        ][:1]
        + asked(stage)[1:]
    )
    do(e.SetCheck(revision=str(stage.head("main")), name="x", title="x"))
    assert {"checks": "write", "metadata": "read"} in asked(stage)
    assert all("administration" not in one or one["administration"] == "read" for one in asked(stage))
    bodies = [json.loads(one.body) for one in stage.server.asked("access_tokens")]
    assert {tuple(body["repositories"]) for body in bodies} == {("booking",)}


def test_workflow_files_need_their_own_permission(stage: GitHubStage, do: Do) -> None:
    commit = e.CommitFiles(
        branch=BRANCH,
        base="main",
        files=(e.File(path=".github/workflows/x.yml", content="on: push\n"),),
        message="ci: x",
    )
    do(commit)
    assert {"contents": "write", "metadata": "read", "workflows": "write"} in asked(stage)
    assert stage.hub.installation
    del stage.hub.installation.permissions["workflows"]
    stage.forget()
    with pytest.raises(Permanent) as refused:
        do(commit, "trace-1.000009.0")
    assert refused.value.reason_code == "NoWriteAccess"
    assert refused.value.message == (
        "the App may not write workflows in acme/booking: give it that permission, and accept it in the installation"
    )


def test_a_token_is_made_anew_before_it_ends(stage: GitHubStage, do: Do) -> None:
    check = e.SetCheck(revision=committed(stage), name="x", title="x")
    stage.forget()
    for minutes, made in ((60, 1), (60, 1), (4, 1)):
        stage.hub.token_life = timedelta(minutes=minutes)
        do(check)
        assert asked(stage).count({"checks": "write", "metadata": "read"}) == made
    clock = stage.forge.ground.client.account
    clock.clock = lambda: time.time() + 56 * 60  # four minutes are left
    do(check)
    do(check)
    assert asked(stage).count({"checks": "write", "metadata": "read"}) == 3, (
        "one of four minutes is never enough"
    )


def test_a_suspended_app_says_so(stage: GitHubStage, do: Do) -> None:
    assert stage.hub.installation
    stage.hub.installation.suspended = True
    with pytest.raises(Permanent) as refused:
        do(e.GatherFacts(correlation="c"))
    assert refused.value.reason_code == "Suspended"
    assert refused.value.message == "the App is suspended in acme/booking: its owner can let it in again"


def test_a_repository_where_the_app_is_not_installed(stage: GitHubStage) -> None:
    context = EffectContext("acme", "trace-1", {}.get)
    with pytest.raises(Permanent) as refused:
        stage.forge.perform("x", e.GatherFacts(correlation="c", repository="acme/other"), context)
    assert (
        refused.value.message
        == "there is no repository 'acme/other' where the App is installed, or the bot may not see it"
    )


def test_another_tenant_learns_nothing(stage: GitHubStage) -> None:
    with pytest.raises(Permanent) as refused:
        stage.forge.perform(
            "x",
            e.GatherFacts(correlation="c", repository="acme/booking"),
            EffectContext("other", "t", {}.get),
        )
    assert refused.value.reason_code == "NotFound"
    assert stage.server.exchanges == []


def test_without_an_account_it_listens(tmp_path: Path) -> None:
    assert configured(tmp_path) is None
    forge = configured(tmp_path, github_webhook_secret="s3cret")
    assert forge
    with pytest.raises(Permanent) as refused:
        forge.perform("x", e.GatherFacts(correlation="c"), EffectContext("default", "t", {}.get))
    assert refused.value.reason_code == "NoAccount"
    assert refused.value.message == (
        "the bot has no account on GitHub: set POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_APP_KEY_FILE, or POINTSMAN_GITHUB_TOKEN"
    )
    assert list(forge.missed(datetime.now(UTC))) == []
    assert [finding.says for finding in forge.examine(())] == ["the bot listens, and can do nothing"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"github_app_id": "1"},
            "POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_APP_KEY_FILE belong together: set both or none",
        ),
        (
            {"github_app_id": "1", "github_app_key_file": "KEY", "github_token": TOKEN},
            "POINTSMAN_GITHUB_APP_ID and POINTSMAN_GITHUB_TOKEN are two accounts: set one of them",
        ),
        (
            {"github_token": TOKEN, "github_api_url": "http://ghes.example.org/api/v3"},
            "POINTSMAN_GITHUB_API_URL must begin with https://, or the token could be read on its way",
        ),
        (
            {"github_app_id": "1", "github_app_key_file": "GONE"},
            "POINTSMAN_GITHUB_APP_KEY_FILE cannot be read: FileNotFoundError",
        ),
        (
            {"github_app_id": "1", "github_app_key_file": "KEY"},
            "POINTSMAN_GITHUB_APP_KEY_FILE holds no private key (PEM)",
        ),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, said: dict[str, str], message: str) -> None:
    (tmp_path / "KEY").write_text("no key")
    if "github_app_key_file" in said:
        said = said | {"github_app_key_file": str(tmp_path / said["github_app_key_file"])}
    with pytest.raises(Unusable) as refused:
        configured(tmp_path, **said)
    assert str(refused.value) == message


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
    forge = configured(
        home=tmp_path, github_app_id="1", github_app_key_file=str(key), github_api_url="http://127.0.0.1:9"
    )
    assert forge
    with pytest.raises(Permanent) as refused:
        forge.perform(
            "x", e.GatherFacts(correlation="c", repository="a/b"), EffectContext("default", "t", {}.get)
        )
    assert refused.value.message == "POINTSMAN_GITHUB_APP_KEY_FILE holds no private key that GitHub made"


def test_nobody_at_home(tmp_path: Path) -> None:
    forge = configured(tmp_path, github_token=TOKEN, github_api_url="http://127.0.0.1:9")
    assert forge
    with pytest.raises(Retryable) as failed:
        forge.perform(
            "x", e.GatherFacts(correlation="c", repository="a/b"), EffectContext("default", "t", {}.get)
        )
    assert failed.value.message == "GitHub cannot be reached: ConnectError"


def test_enterprise_servers_have_their_graphql_elsewhere(
    stage: GitHubStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = stage.forge.ground.client
    sent: list[str] = []

    class Stop(Exception):
        pass

    def request(_method: str, url: str, **_: Any) -> Any:
        sent.append(url)
        raise Stop

    monkeypatch.setattr(client.core, "request", request)
    client._access = type(client._access)("https://ghes.example.org/api/v3", token="x")
    for path in ("/graphql", "/user"):
        with pytest.raises(Stop):
            client._send("POST", path, {}, None, None)
    assert sent == ["https://ghes.example.org/api/graphql", "/user"]


@pytest.mark.parametrize("token", ["", TOKEN], ids=["app", "user"])
def test_no_credential_is_ever_shown(tmp_path: Path, token: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever goes wrong: not in the exception, what it stands on, the log, an answer or a URL."""
    seen: list[str] = []
    with opened(tmp_path, token=token) as stage:
        revision = proposed(stage)
        echo = {"message": f"you sent {stage.hub.secret.decode()} " + " ".join(stage.hub.bearers)}
        faults: list[dict[str, Any]] = [
            {"status": status, "json": echo} for status in (400, 401, 403, 404, 409, 422, 429, 500)
        ] + [{"reset": True}, {"truncated": True}]
        for fault in faults:
            for name in (
                "SetCheck",
                "PostComment",
                "MergeChange",
                "OpenChange",
                "OpenIssue",
                "CreateRepository",
            ):
                stage.server.faults.clear()
                stage.server.fail("/repos/[^ ]*$", times=100, **fault)
                try:
                    seen.append(repr(doing(stage)(DEEDS[name].effect(stage, revision))))
                except (Permanent, Retryable) as error:
                    seen += traceback.format_exception(error)
                    seen += [repr(error), str(vars(error)), repr(error.__cause__), repr(error.__context__)]
        seen += [one.path + str(one.query) for one in stage.server.exchanges]
        told = capfd.readouterr()
        everything = "\n".join(
            [*seen, told.out, told.err, repr(stage.forge), repr(stage.forge.ground.client.account)]
        )
        key = stage._key_file.read_text().splitlines()[1]
        secrets = [*stage.hub.bearers, key, *([token] if token else [])]
        assert len(secrets) > 1
        assert [secret for secret in secrets if secret in everything] == []
        assert "Authorization" not in everything


def test_tokens_that_are_known_by_their_looks_are_not_collected(stage: GitHubStage, do: Do) -> None:
    """An App makes a few every hour: a list of all of them would be searched for each line of the log."""
    committed(stage)
    made = set(stage.hub.bearers)
    assert made
    assert not made & telemetry._hidden.keys()
    assert [telemetry.redact(f"x {token} y") for token in made] == ["x [hidden] y"] * len(made)


def test_a_token_of_another_look_is_hidden_all_the_same(
    stage: GitHubStage, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_hidden", {})
    numbers = itertools.count()
    monkeypatch.setattr(routes_app.secrets, "token_hex", lambda _size: f"-0dd-{next(numbers)}" * 4)
    committed(stage)
    made = list(stage.hub.bearers)
    assert made
    assert [telemetry.redact(f"x {token} y") for token in made] == ["x [hidden] y"] * len(made)
