"""New repositories on GitHub: who may make them, how they are guarded, and who is called about them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.conftest import Do, doing
from tests.forges.github.deeds import CALLED, NEW

MAKING = e.CreateRepository(
    repository=NEW,
    description="Bookings",
    mark="trace-1",
    required_check="pointsman/merge",
    webhook_url=CALLED,
)


def refusal(do: Do, effect: e.Effect = MAKING) -> tuple[str, str]:
    with pytest.raises(Permanent) as refused:
        do(effect)
    return refused.value.reason_code, refused.value.message


def may(stage: GitHubStage, **permissions: str) -> None:
    assert stage.hub.installation
    stage.hub.installation.permissions.update(permissions)


def test_only_the_bots_own_check_will_do(stage: GitHubStage, do: Do) -> None:
    do(MAKING)
    (rules,) = stage.hub.repositories[NEW].rulesets
    kinds = {rule["type"]: rule.get("parameters") for rule in rules["rules"]}
    assert set(kinds) == {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}
    assert kinds["required_status_checks"] == {
        "required_status_checks": [{"context": "pointsman/merge", "integration_id": stage.hub.app_id}],
        "strict_required_status_checks_policy": False,
    }
    assert (rules["enforcement"], rules.get("bypass_actors")) == ("active", None)


def test_nobody_pushes_past_the_bot_and_a_change_waits_for_its_check(stage: GitHubStage, do: Do) -> None:
    do(MAKING)
    files = (e.File(path="app.py", content="one\n"),)
    straight = e.CommitFiles(repository=NEW, branch="main", base="main", files=files, message="feat: x")
    assert refusal(do, straight)[0] == "ProtectedBranch"
    made = do(straight.model_copy(update={"branch": "feature/x"}), "t.000008.0")
    assert isinstance(made, e.CommitResult)
    do(e.OpenChange(repository=NEW, source="feature/x", target_branch="main", title="feat: x", body=""))
    merging = e.MergeChange(repository=NEW, change=1, expected_head=made.sha, message="feat: x")
    with pytest.raises(Retryable, match=r"main is protected: pointsman/merge has not succeeded yet"):
        do(merging)
    check = {"name": "pointsman/merge", "title": "x", "conclusion": "success"}
    do(e.SetCheck.model_validate({"repository": NEW, "revision": made.sha} | check))
    do(merging)
    said = {finding.says for finding in stage.forge.examine((NEW,))}
    assert "main cannot be merged into past the bot" in said


def test_an_app_that_is_called_anyway_needs_no_webhook(stage: GitHubStage, do: Do) -> None:
    stage.hub.hook_url = CALLED + "/"
    may(stage, repository_hooks="none")
    do(MAKING)
    assert stage.hub.repositories[NEW].hooks == []


def test_a_webhook_has_the_secret_of_now(stage: GitHubStage, do: Do) -> None:
    do(MAKING)
    (asked,) = stage.server.asked(f"^POST /repos/{NEW}/hooks$")
    assert f'"secret":"{stage.hub.secret.decode()}"' in asked.body.decode().replace(": ", ":")
    assert b'"insecure_ssl":"0"' in asked.body.replace(b": ", b":")


@pytest.mark.parametrize("permission", ["administration", "repository_hooks"])
def test_what_the_app_lacks_is_said_before_anything_is_made(
    stage: GitHubStage, do: Do, permission: str
) -> None:
    may(stage, **{permission: "read"})
    assert refusal(do) == (
        "NoCreateAccess",
        (
            "the bot may not make repositories in acme: install the App in that organisation, with "
            f"`administration: write` (it lacks `{permission}: write`)"
        ),
    )
    assert NEW not in stage.hub.repositories


def test_an_organisation_without_the_app(stage: GitHubStage, do: Do) -> None:
    code, message = refusal(do, MAKING.model_copy(update={"repository": "other/fresh"}))
    assert code == "NoCreateAccess"
    assert "there is no organisation 'other' where the App is installed" in message


def test_without_a_secret_there_is_no_webhook_and_so_no_repository(stage: GitHubStage, do: Do) -> None:
    stage.forge.ground.secrets = ()
    assert refusal(do) == (
        "NoSecret",
        "the bot has no webhook secret for GitHub: set POINTSMAN_GITHUB_WEBHOOK_SECRET",
    )
    assert NEW not in stage.hub.repositories
    do(MAKING.model_copy(update={"webhook_url": ""}))


def test_a_long_description_makes_room_for_the_mark(stage: GitHubStage, do: Do) -> None:
    long = MAKING.model_copy(update={"description": "many words " * 50})
    do(long)
    do(long)
    said = stage.hub.repositories[NEW].description or ""
    assert (len(said), said[-10:]) == (350, " [trace-1]")


def test_a_name_that_is_taken_by_what_the_bot_may_not_see(stage: GitHubStage, do: Do) -> None:
    stage.hub.repository(NEW)
    stage.server.fail(f"^GET /repos/{NEW}$", status=404)
    assert refusal(do) == (
        "RepositoryTaken",
        "there is a repository acme/fresh already, made for something else",
    )


def test_a_name_that_another_repository_once_had_is_free(stage: GitHubStage, do: Do) -> None:
    """GitHub answers with the one that has left the name."""
    moved: dict[str, Any] = {"id": 1, "full_name": "acme/renamed", "description": "[trace-1]"}
    stage.server.fail(f"^GET /repos/{NEW}$", status=200, json=moved)
    do(MAKING)
    assert NEW in stage.hub.repositories


def test_it_waits_for_the_first_commit(stage: GitHubStage, do: Do) -> None:
    stage.server.fail(
        f"^GET /repos/{NEW}/git/ref/heads", status=409, json={"message": "Git Repository is empty."}
    )
    with pytest.raises(Retryable, match=f"GitHub is still making {NEW}"):
        do(MAKING)
    assert do(MAKING) == do(MAKING)


def test_a_users_token_makes_them_where_the_user_may(user_stage: GitHubStage) -> None:
    do = doing(user_stage)
    code, message = refusal(do)
    assert (code, "acme" in message) == ("NoCreateAccess", True)
    user_stage.hub.makers.add("acme-bot")
    do(MAKING)
    assert user_stage.hooks(NEW) == {CALLED}
    (rules,) = user_stage.hub.repositories[NEW].rulesets
    asked = next(rule for rule in rules["rules"] if rule["type"] == "required_status_checks")
    assert asked["parameters"]["required_status_checks"] == [{"context": "pointsman/merge"}]


def test_and_in_the_users_own_place(user_stage: GitHubStage) -> None:
    mine = MAKING.model_copy(update={"repository": "acme-bot/fresh"})
    doing(user_stage)(mine)
    assert "acme-bot/fresh" in user_stage.hub.repositories
    assert user_stage.server.asked("^POST /user/repos$")
