"""Releases, issues, environments and new projects: what is GitLab's own about them."""

from __future__ import annotations

import json

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.allowance import Allowance
from bot.forges.gitlab.hook import EVENTS
from bot.forges.gitlab.linked_issues import lines_of, with_lines
from bot.settings import Settings
from tests.forges.gitlab.cases import FRESH, READY, RELEASE
from tests.forges.gitlab.conftest import Desk, refusal
from tests.forges.gitlab.fake.state import Project
from tests.forges.gitlab.fake.world import SIGNING, TOKEN

# Issues


def linking(*references: str, closes: bool = False) -> e.LinkIssues:
    return e.LinkIssues(change=1, references=references, closes=closes)


def described(desk: Desk) -> str:
    return desk.world.change(1).description


def test_lines_are_put_below_what_people_wrote(desk: Desk, head: str) -> None:
    first, second = (desk.stage.open_issue("olive", title) for title in ("one", "two"))
    desk.do(linking(first), "t.1.0")
    desk.do(linking(second, closes=True), "t.2.0")
    assert described(desk) == (
        "Body\n\n<!-- pointsman:issues -->\nRelated to #1\nCloses #2\n<!-- /pointsman:issues -->"
    )


def test_what_was_related_may_be_closed_and_what_is_closed_stays_so(desk: Desk, head: str) -> None:
    issue = desk.stage.open_issue("olive", "one")
    desk.do(linking(issue), "t.1.0")
    desk.do(linking(issue, closes=True), "t.2.0")
    desk.do(linking(issue), "t.3.0")
    assert lines_of(described(desk)) == {"#1": "Closes"}


def test_what_a_person_wrote_is_not_written_again(desk: Desk, head: str) -> None:
    issue = desk.stage.open_issue("olive", "one")
    desk.world.change(1).description = "Fixes #1"
    desk.do(linking(issue, closes=True))
    desk.do(linking(f"{desk.stage.repository}#1", closes=True), "t.2.0")
    desk.do(linking(issue), "t.3.0")
    assert described(desk) == "Fixes #1"


def test_a_new_description_keeps_the_lines(desk: Desk, head: str) -> None:
    desk.do(linking(desk.stage.open_issue("olive", "one"), closes=True), "t.1.0")
    for _ in range(2):
        desk.do(e.UpdateChange(change=1, body="Written anew."), "t.2.0")
        assert described(desk).startswith("Written anew.\n\n<!-- pointsman:issues -->\nCloses #1\n")
        assert lines_of(described(desk)) == {"#1": "Closes"}


def test_merging_closes_what_it_says(desk: Desk, head: str) -> None:
    desk.do(linking(desk.stage.open_issue("olive", "one"), closes=True), "t.1.0")
    desk.do(e.MergeChange(change=1, expected_head=head, message="feat: x (#1)"), "t.2.0")
    assert [one.state for one in desk.world.project.issues] == ["closed"]


@pytest.mark.parametrize("name", ["12", "AB#12", "#0", "#12 Closes #1", "../x#1", "#١"])
def test_what_is_no_issues_name_on_gitlab(desk: Desk, head: str, name: str) -> None:
    said = f"{name!r} is no issue's name on GitLab: write #12 or group/project#12"
    assert refusal(desk, linking(name)) == ("IssueMissing", said)
    assert described(desk) == "Body"


def test_lines_of_nothing_change_nothing() -> None:
    assert with_lines("Body", {}) == "Body"
    assert (
        with_lines("", {"#1": "Closes"}) == "<!-- pointsman:issues -->\nCloses #1\n<!-- /pointsman:issues -->"
    )


def test_another_persons_issue_with_our_mark_is_theirs(desk: Desk) -> None:
    wanted = e.OpenIssue(title="Rolled back", body="Why.")
    desk.stage.open_issue("olive", "hers")
    desk.world.project.issues[0].description = "<!-- pointsman:effect:trace-1.000007.0 -->"
    assert desk.do(wanted).reference == "#2"


# Releases


def test_a_release_in_a_folder_of_tags(desk: Desk) -> None:
    made = desk.do(RELEASE.model_copy(update={"tag": "booking/v1", "revision": desk.commit()}))
    assert (made.id, sorted(desk.stage.releases())) == ("booking/v1", ["booking/v1"])


def test_what_git_would_not_take_is_no_tag(desk: Desk) -> None:
    wanted = RELEASE.model_copy(update={"tag": "v 1", "revision": desk.commit()})
    assert refusal(desk, wanted)[0] == "InvalidTag"


# Environments


def test_a_key_of_several_scopes_is_set_in_its_own(desk: Desk) -> None:
    scopes = ("*", "production", "staging")
    desk.world.project.variables += [
        {"key": "URL", "value": scope, "environment_scope": scope, "raw": False} for scope in scopes
    ]
    desk.do(READY)
    told = {
        one["environment_scope"]: one["value"] for one in desk.world.project.variables if one["key"] == "URL"
    }
    assert told == {"*": "*", "production": "production", "staging": "http://x.test"}
    assert {one["raw"] for one in desk.world.project.variables if one["environment_scope"] == "staging"} == {
        True
    }


def test_the_environment_itself_is_made(desk: Desk) -> None:
    desk.do(e.PrepareEnvironment(environment="staging"))
    assert list(desk.world.project.environments) == ["staging"]


def test_who_may_not_set_variables_is_told_what_role_is_needed(desk: Desk) -> None:
    desk.world.role(30)
    said = "release-bot may not set variables in acme/platform/booking: give it the role Maintainer"
    assert refusal(desk, READY) == ("NoVariableAccess", said)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (e.PrepareEnvironment(environment="/staging"), "InvalidEnvironment"),
        (e.PrepareEnvironment(environment="staging", variables={"A-B": "x"}), "InvalidVariable"),
    ],
)
def test_names_that_gitlab_does_not_take(desk: Desk, wanted: e.Effect, code: str) -> None:
    assert refusal(desk, wanted)[0] == code


# New projects


def test_a_new_project_is_as_it_was_wanted(desk: Desk) -> None:
    desk.do(FRESH)
    made = desk.world.state.projects["acme/platform/fresh"]
    (hook,) = made.hooks
    assert (made.visibility, made.protected, made.pipelines_must_succeed) == (
        "private",
        {"main": (0, 30)},
        True,
    )
    assert (hook.url, hook.signing_token, hook.wanted) == (
        FRESH.webhook_url,
        SIGNING,
        dict.fromkeys(EVENTS, True),
    )
    assert made.repo.branches() == ["main"]


def test_a_mark_in_somebody_elses_project_does_not_make_it_ours(desk: Desk) -> None:
    state = desk.world.state
    desk.do(FRESH)
    made = state.projects["acme/platform/fresh"]
    made.creator = desk.world.owner.id
    assert refusal(desk, FRESH)[0] == "RepositoryTaken"


def test_a_project_that_the_bot_may_not_see_is_taken(desk: Desk) -> None:
    """GitLab says only that the name is."""
    desk.world.state.make_group("acme/platform").members[desk.world.bot.id] = 30
    hidden = Project(8, "acme/platform/fresh", desk.world.project.repo)
    desk.world.state.projects["acme/platform/fresh"] = hidden
    desk.fault("GET", "/fresh$", status=404, body={"message": "404 Project Not Found"}, times=2)
    assert refusal(desk, FRESH)[0] == "RepositoryTaken"


@pytest.mark.parametrize("name", ["fresh", "nowhere/fresh"])
def test_a_group_that_is_not_there(desk: Desk, name: str) -> None:
    code, said = refusal(desk, FRESH.model_copy(update={"repository": name}))
    assert (code, said.endswith("name the repository as group/name")) == ("NoCreateAccess", True)


def test_who_may_not_make_projects_is_told_so(desk: Desk) -> None:
    desk.world.role(20)
    said = "release-bot may not make projects in acme/platform: give it the role Maintainer there"
    assert refusal(desk, FRESH) == ("NoCreateAccess", said)


def test_without_a_secret_no_project_is_made_whose_calls_prove_nothing(desk: Desk) -> None:
    from bot.forges.gitlab.forge import GitLabForge

    told = desk.stage.settings() | {"POINTSMAN_GITLAB_WEBHOOK_SECRET": ""}
    said = {name.removeprefix("POINTSMAN_").lower(): value for name, value in told.items() if value}
    desk.stage.forge = GitLabForge(Settings.model_validate(said | {"tenant": "acme"}))
    assert refusal(desk, FRESH)[0] == "NoWebhookSecret"
    assert "acme/platform/fresh" not in desk.world.state.projects


def test_a_secret_that_gitlab_repeats_is_not_passed_on(desk: Desk) -> None:
    body = {"message": json.dumps({"signing_token": SIGNING, "of": TOKEN})}
    desk.fault("POST", "/hooks$", status=422, body=body)
    with pytest.raises(Permanent) as refused:
        desk.do(FRESH)
    assert [secret for secret in (SIGNING, TOKEN) if secret in refused.value.message] == []


# Limits


def test_what_is_left_is_known_as_gitlab_last_said(desk: Desk) -> None:
    assert list(desk.forge.allowances()) == []
    desk.server.limit = (600, 599, 1_790_000_000)
    desk.do(e.GatherFacts(correlation="c"))
    assert list(desk.forge.allowances()) == [Allowance("token", "api", 600, 599, 1_790_000_000.0)]
