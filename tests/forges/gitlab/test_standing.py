"""What is set up wrongly on GitLab is said with what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.forges.finding import Finding, Standing
from bot.forges.gitlab.client import Account, Api
from bot.forges.gitlab.hook import EVENTS, Door
from bot.forges.gitlab.standing import connect, examine
from tests.forges.gitlab.conftest import Desk
from tests.forges.gitlab.fake.state import Token
from tests.forges.gitlab.fake.world import BOT_LOGIN, REPOSITORY, SIGNING, TOKEN

URL = "https://bot.test/webhooks/gitlab"
DOOR = Door(URL, (SIGNING.encode(),))
Wrong = Callable[[Desk], None]


def said(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.standing.value, one.about, one.says) for one in found]


def test_a_project_is_connected_and_all_is_well(desk: Desk) -> None:
    desk.world.project.hooks.clear()
    desk.world.project.pipelines_must_succeed = True
    for _ in range(2):
        found = list(connect(desk.api, DOOR, REPOSITORY))
        assert said(found) == [
            ("ok", "account", f"{BOT_LOGIN} at {desk.world.state.url}"),
            ("ok", REPOSITORY, f"the webhook calls {URL}"),
            ("warning", REPOSITORY, "GitLab has not called yet: nothing shows that it reaches the bot"),
            ("ok", REPOSITORY, "main cannot be merged into past the bot"),
        ]
    (hook,) = desk.world.project.hooks
    assert (hook.url, hook.signing_token, hook.token) == (URL, SIGNING, "")
    assert {name for name, on in hook.wanted.items() if on} == set(EVENTS)


def test_a_secret_that_signs_nothing_is_set_as_the_token(desk: Desk) -> None:
    list(connect(desk.api, Door(URL, (b"plain-secret", b"old")), REPOSITORY))
    hook = desk.world.project.hooks[-1]
    assert (hook.token, hook.signing_token) == ("plain-secret", "")


def test_without_a_secret_nothing_is_made(desk: Desk) -> None:
    (finding,) = connect(desk.api, Door(URL, ()), REPOSITORY)
    assert (finding.says, finding.do) == ("no secret is set", "Set POINTSMAN_GITLAB_WEBHOOK_SECRET.")
    assert len(desk.world.project.hooks) == 1


def test_who_may_not_make_webhooks_is_told(desk: Desk) -> None:
    desk.world.role(30)
    first, *others = connect(desk.api, DOOR, REPOSITORY)
    assert first.says.startswith(
        "the webhook could not be made: GitLab does not let the bot do this (403 Forbidden)"
    )
    assert ("warning", REPOSITORY, "the bot may not see the webhooks, nor which calls failed") in said(others)


def set_up(desk: Desk) -> None:
    list(connect(desk.api, DOOR, REPOSITORY))
    desk.world.project.pipelines_must_succeed = True


def role(desk: Desk) -> None:
    desk.world.role(20)


def no_hook(desk: Desk) -> None:
    desk.world.project.hooks.clear()


def disabled(desk: Desk) -> None:
    desk.world.project.hooks[-1].alert_status = "temporarily_disabled"


def deaf(desk: Desk) -> None:
    desk.world.project.hooks[-1].wanted["job_events"] = False


def past_the_bot(desk: Desk) -> None:
    desk.world.project.pipelines_must_succeed = False


def unprotected(desk: Desk) -> None:
    desk.world.project.protected.clear()


def pushed_by_maintainers(desk: Desk) -> None:
    desk.world.project.protected["main"] = (40, 30)


def pushed_by_a_wildcard(desk: Desk) -> None:
    desk.world.project.protected["ma*"] = (30, 30)


def skipped(desk: Desk) -> None:
    desk.world.project.skipped_is_success = True


def unheard(desk: Desk) -> None:
    """The host of the hook's address does not exist."""
    desk.stage.push("olive", "feature/x", {"a.py": "a\n"}, "feat: x")
    desk.world.deeds.sender.settled()


def gone(desk: Desk) -> None:
    desk.world.state.projects.clear()


@pytest.mark.parametrize(
    ("wrong", "standing", "says"),
    [
        (role, "broken", "the bot may not write"),
        (no_hook, "broken", f"no webhook calls {URL}"),
        (disabled, "broken", "GitLab has disabled the webhook after calls that failed"),
        (deaf, "broken", "the webhook leaves out job_events"),
        (past_the_bot, "warning", "main does not require the bot's check: people may merge past the policy"),
        (unprotected, "warning", "main is not protected: people may push past the policy"),
        (pushed_by_maintainers, "warning", "Maintainers may push to main past the policy"),
        (pushed_by_a_wildcard, "warning", "Developers + Maintainers may push to main past the policy"),
        (
            skipped,
            "warning",
            "a skipped pipeline counts as one that succeeded: `[skip ci]` merges past the policy",
        ),
        (unheard, "broken", "the last call was answered internal error"),
        (gone, "broken", "cannot be looked at: 404 Project Not Found"),
    ],
)
def test_what_is_wrong_with_a_project_is_said(desk: Desk, wrong: Wrong, standing: str, says: str) -> None:
    set_up(desk)
    wrong(desk)
    found = list(examine(desk.api, DOOR, (REPOSITORY,)))
    assert (standing, REPOSITORY, says) in said(found)
    assert all(one.do for one in found if one.standing is not Standing.OK)


def test_a_token_of_somebody_else(desk: Desk) -> None:
    api = Api(Account(desk.world.state.url, "pointsman", TOKEN))
    first = next(iter(examine(api, DOOR, ())))
    assert (first.standing, first.says, first.do) == (
        Standing.BROKEN,
        "the token is release-bot's, the bot is called pointsman",
        "Set POINTSMAN_GITLAB_LOGIN=release-bot.",
    )


def test_a_token_that_does_not_reach_far_enough_or_long_enough(desk: Desk) -> None:
    ends = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    desk.world.state.tokens[TOKEN] = Token(desk.world.bot, scopes=("read_api",), expires_at=ends)
    assert said(list(examine(desk.api, DOOR, ())))[1:] == [
        ("broken", "token", "has the scopes read_api"),
        ("warning", "token", f"ends on {ends}"),
    ]


def test_a_token_that_is_not_accepted_is_the_first_thing_to_mend(desk: Desk) -> None:
    desk.world.state.tokens.clear()
    (finding,) = examine(desk.api, DOOR, (REPOSITORY,))
    assert finding.says == "GitLab does not accept the bot's token: set POINTSMAN_GITLAB_TOKEN to a valid one"


@pytest.mark.parametrize(
    ("off", "standing"), [(0, None), (30, None), (90, "warning"), (-90, "warning"), (400, "broken")]
)
def test_a_clock_that_is_wrong(desk: Desk, off: int, standing: str | None) -> None:
    api = Api(desk.api.account, clock=lambda: time.time() + off)
    found = [one for one in examine(api, DOOR, ()) if one.about == "clock"]
    assert [one.standing.value for one in found] == ([standing] if standing else [])


@pytest.mark.parametrize(("left", "standing"), [(600, "ok"), (60, "ok"), (59, "warning")])
def test_what_is_left_of_the_limit(desk: Desk, left: int, standing: str) -> None:
    desk.server.limit = (600, left, 1_790_000_000)
    found = said(list(examine(desk.api, DOOR, ())))
    assert (standing, "rate limit", f"{left} of 600 requests are left") in found


def test_nobody_there_is_a_finding() -> None:
    (finding,) = examine(Api(Account("http://127.0.0.1:9", BOT_LOGIN, TOKEN)), DOOR, (REPOSITORY,))
    assert (finding.standing, finding.says) == (Standing.BROKEN, "GitLab did not answer (ConnectionError)")


def test_the_forge_looks_at_its_own_address(desk: Desk) -> None:
    found = list(desk.forge.examine((REPOSITORY,)))
    assert ("broken", REPOSITORY, "no webhook calls http://127.0.0.1:8080/webhooks/gitlab") in said(found)


def test_a_project_may_be_connected_to_another_address_than_the_bots_own(desk: Desk) -> None:
    list(desk.forge.connect(REPOSITORY, URL))
    assert desk.world.project.hooks[-1].url == URL
