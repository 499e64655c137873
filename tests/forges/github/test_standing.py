"""`pointsman doctor` and `pointsman connect` on GitHub: what they find, and what they say to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.forges.finding import Finding, Standing
from bot.forges.github import standing
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.fake.hub import Attempt, Protection

HERE = "http://127.0.0.1:8080/webhooks/github"
REPOSITORY = "acme/booking"


@pytest.fixture
def sound(stage: GitHubStage) -> GitHubStage:
    """As everything should be."""
    stage.hub.hook_url = HERE
    stage.hub.attempts.append(Attempt(1, "g", datetime.now(UTC), "push", {}, 202))
    stage.require_check("pointsman/merge")
    return stage


def told(stage: GitHubStage) -> list[tuple[str, str, str, str]]:
    found = stage.forge.examine([REPOSITORY])
    return [said(one) for one in found if one.about != "github limits"]


def said(one: Finding) -> tuple[str, str, str, str]:
    return (one.about, one.standing.value, one.says, one.do)


def wrong(stage: GitHubStage) -> list[tuple[str, str, str, str]]:
    return [one for one in told(stage) if one[1] != "ok"]


def test_everything_is_as_it_must_be(sound: GitHubStage) -> None:
    assert told(sound) == [
        ("github account", "ok", "signed in as acme-pointsman[bot]", ""),
        ("github webhook", "ok", "the last 1 calls arrived", ""),
        (REPOSITORY, "ok", "main cannot be merged into past the bot", ""),
    ]
    assert all(one.method == "GET" or "access_tokens" in one.path for one in sound.server.exchanges)


def test_a_name_that_is_another_one(sound: GitHubStage) -> None:
    sound.hub.app_slug = "other"
    assert wrong(sound)[0] == (
        "github account",
        "broken",
        "the bot is other[bot], and POINTSMAN_GITHUB_LOGIN says acme-pointsman[bot]",
        "Set POINTSMAN_GITHUB_LOGIN=other[bot].",
    )


def test_events_and_calls(sound: GitHubStage) -> None:
    sound.hub.events.remove("push")
    sound.hub.hook_url = "https://elsewhere.example.org"
    assert wrong(sound) == [
        ("github events", "broken", "the App is not told of push", "Tick them in the App's settings."),
        (
            "github webhook",
            "broken",
            f"the App calls https://elsewhere.example.org, and the bot listens at {HERE}",
            "Say `pointsman connect github REPOSITORY`, or mend POINTSMAN_BASE_URL.",
        ),
    ]


def test_calls_that_fail(sound: GitHubStage) -> None:
    sound.hub.attempts.append(Attempt(2, "h", datetime.now(UTC), "push", {}, 401))
    assert wrong(sound) == [
        (
            "github webhook",
            "broken",
            "1 of the last 2 calls failed, the newest with 401",
            "401: the secret differs from the App's. Others: see the bot's log.",
        )
    ]
    sound.hub.attempts.append(Attempt(3, "i", datetime.now(UTC), "push", {}, 202))
    assert wrong(sound)[0][1] == "warning"
    sound.hub.attempts.clear()
    assert wrong(sound)[0][2] == "no call was made yet"


def test_permissions_and_protection(sound: GitHubStage) -> None:
    assert sound.hub.installation
    del sound.hub.installation.permissions["checks"]
    sound.hub.installation.permissions["contents"] = "read"
    found = wrong(sound)
    assert found[0] == (
        REPOSITORY,
        "broken",
        "the App lacks contents: write, checks: write",
        "Give them in the App's settings, and accept them in the installation.",
    )
    sound.hub.installation.permissions |= {"checks": "write", "contents": "write"}
    sound.forget()
    sound.repo.protection["main"] = Protection(checks=("ci",))
    assert wrong(sound) == [
        (
            REPOSITORY,
            "warning",
            "main does not require the bot's check: people may merge past the policy",
            "Require the status check `pointsman/merge` in a ruleset or the branch protection of main.",
        )
    ]


def test_a_repository_that_is_archived_or_not_there(sound: GitHubStage) -> None:
    sound.repo.archived = True
    assert wrong(sound)[0][2] == "is archived: nothing can be changed in it"
    (gone,) = [one for one in sound.forge.examine(["acme/gone"]) if one.about == "acme/gone"]
    assert gone.standing is Standing.BROKEN
    assert gone.says == (
        "could not be looked at: there is no repository 'acme/gone' where the App is installed, or the bot may not see it"
    )


def test_what_is_left_of_the_hour(sound: GitHubStage) -> None:
    limits = [one for one in sound.forge.examine([REPOSITORY]) if one.about == "github limits"]
    assert limits[0].says.startswith("installation 99/core: 49")
    sound.server.remaining = 300
    (low,) = [one for one in sound.forge.examine([REPOSITORY]) if one.standing is Standing.WARNING]
    assert low.do == "Give the bot an account that it alone uses."


def test_a_clock_that_is_wrong(sound: GitHubStage) -> None:
    ground, early = sound.forge.ground, {"date": format_datetime(datetime.now(UTC) + timedelta(seconds=90.5))}
    found = [said(one) for one in standing._signed_in(ground, ground.login, early)]
    assert found[1][2] in {f"differs from GitHub's by {seconds} s" for seconds in (-90, -89)}
    assert found[1][3] == "Set this machine's clock."


def test_an_account_that_is_not_known(sound: GitHubStage) -> None:
    sound.hub.app_id = 1
    (only,) = told(sound)
    assert only[1] == "broken"
    assert only[2].startswith(
        "could not be asked: GitHub does not know the App: check POINTSMAN_GITHUB_APP_ID"
    )


def test_connecting_an_app(stage: GitHubStage) -> None:
    list(stage.forge.connect(REPOSITORY, "https://bot.example.org/webhooks/github"))
    assert stage.hub.hook_url == "https://bot.example.org/webhooks/github"
    assert stage.hub.secret == b"webhook-secret-of-github"


def test_connecting_a_repository_with_a_token(user_stage: GitHubStage) -> None:
    stage = user_stage
    assert (REPOSITORY, "warning", "the bot may not see its webhooks", f"See that one calls {HERE}.") in told(
        stage
    )
    first = next(iter(stage.forge.connect(REPOSITORY, HERE)))
    assert first.says == "got no webhook: the bot may not make webhooks"
    stage.repo.people["acme-bot"] = "admin"
    assert (
        REPOSITORY,
        "broken",
        "no webhook calls the bot",
        "Say `pointsman connect github acme/booking`.",
    ) in told(stage)
    for _ in range(2):
        found = [said(one) for one in stage.forge.connect(REPOSITORY, HERE)]
        assert (REPOSITORY, "ok", "its webhook calls the bot", "") in found
    (hook,) = stage.repo.hooks
    assert hook["config"] == {"url": HERE, "content_type": "json", "insecure_ssl": "0"}
    assert {"push", "pull_request", "issue_comment", "workflow_run"} <= set(hook["events"])
    hook["events"].remove("push")
    assert (
        REPOSITORY,
        "broken",
        "its webhook does not tell of push",
        "Say `pointsman connect github acme/booking`.",
    ) in told(stage)
