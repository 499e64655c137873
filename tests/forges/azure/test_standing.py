"""Looking whether everything is set up on Azure DevOps, and setting it up."""

from __future__ import annotations

import pytest

from bot.forges.finding import Finding, Standing
from tests.forges.azure.fake import policies, pulls, talk
from tests.forges.azure.fake.state import Fault
from tests.forges.conformance.stages.azure import SECRET, UNIQUE, AzureStage
from tests.forges.world import until

URL = "https://bot.example/webhooks/azure"


def examined(stage: AzureStage) -> dict[str, Finding]:
    return {one.says: one for one in stage.forge.examine([stage.repository])}


def standing(stage: AzureStage, says: str) -> Standing:
    return examined(stage)[says].standing


def test_a_set_up_that_is_well(stage: AzureStage) -> None:
    stage.require_check("pointsman/merge")
    stage.calls(1)
    assert [(one.about, one.standing, one.says) for one in examined(stage).values()] == [
        ("azure account", Standing.OK, f"signed in as {UNIQUE}"),
        ("demo/booking", Standing.OK, "service hooks call the bot"),
        ("demo/booking", Standing.OK, "the last call of a service hook arrived"),
        ("demo/booking", Standing.OK, "main cannot be merged into past the bot"),
    ]


def test_a_branch_that_people_may_merge_past_the_bot(stage: AzureStage) -> None:
    found = examined(stage)["main does not require the bot's check: people may merge past the policy"]
    assert found.standing == Standing.WARNING
    assert (
        found.do
        == "Add the status check `pointsman/merge` to its branch policies: required, and from the bot alone."
    )
    stage.require_check("pointsman/pipeline")
    assert "main cannot be merged into past the bot" not in examined(stage)
    made = policies.policy(
        stage.repo, policies.STATUS, stage.org, statusGenre="pointsman", statusName="merge"
    )
    made["isBlocking"] = False
    assert "main cannot be merged into past the bot" not in examined(stage)


def test_an_account_that_is_not_the_one_of_the_settings(stage: AzureStage) -> None:
    stage.org.people["jane"] = stage.org.person("jane", "write")
    stage.org.people["jane"].token, stage.account.token = stage.account.token, "none"
    found = examined(stage)[f"the token is jane's, and POINTSMAN_AZURE_LOGIN says {UNIQUE}"]
    assert (found.standing, found.do) == (Standing.BROKEN, "Set POINTSMAN_AZURE_LOGIN=jane.")


def test_a_repository_that_the_bot_may_not_write_to(stage: AzureStage) -> None:
    stage.take_write_access()
    assert standing(stage, "the bot may not write") == Standing.BROKEN


def test_hooks_that_are_missing_or_asleep(stage: AzureStage) -> None:
    stage.org.subscriptions[0]["status"] = "disabledBySystem"
    stage.org.subscriptions[:] = [
        one for one in stage.org.subscriptions if one["eventType"] != "build.complete"
    ]
    found = examined(stage)[
        "no service hook calls the bot for git.push, build.complete (git.push switched off)"
    ]
    assert (found.standing, found.do) == (Standing.BROKEN, "Say `pointsman connect azure demo/booking`.")


def test_limits_that_are_nearly_used_up(stage: AzureStage) -> None:
    stage.org.extra_headers = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "3"}
    assert standing(stage, "3 of 200 are left") == Standing.WARNING


def test_limits_are_told_when_there_is_room_too(stage: AzureStage) -> None:
    stage.org.extra_headers = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "150"}
    assert standing(stage, "150 of 200 are left") == Standing.OK


def test_calls_that_do_not_arrive_are_found(stage: AzureStage) -> None:
    stage.calls(1)
    stage.deliver_to("http://127.0.0.1:9/webhooks/azure")
    stage.person("jane", "write")
    stage.push("jane", "feature/x", {"a.txt": "a\n"}, "feat: a")
    until(stage.town.sender.quiet)
    found = examined(stage)["the last call of a service hook did not arrive"]
    assert found.standing == Standing.BROKEN
    assert found.do == (
        "Look at its history in the project's settings: POINTSMAN_BASE_URL must be an address that Azure "
        "DevOps reaches, and its password one of POINTSMAN_AZURE_WEBHOOK_SECRET."
    )


def test_what_cannot_be_looked_at_is_found_as_well(stage: AzureStage) -> None:
    stage.org.faults = [Fault("GET", "/repositories/", "status", 403)]
    assert standing(stage, "could not be looked at: something went wrong on purpose") == Standing.BROKEN
    stage.account.token = "none"
    (only,) = examined(stage).values()
    assert only.standing == Standing.BROKEN
    assert only.says.startswith("could not be asked: Azure DevOps does not know the bot")


def test_connecting_makes_the_hooks_once_and_keeps_the_secret_out_of_sight(stage: AzureStage) -> None:
    stage.org.subscriptions.clear()
    found = list(stage.forge.connect(stage.repository, URL))
    made = {
        (one["eventType"], one["publisherInputs"].get("notificationType")): one
        for one in stage.org.subscriptions
    }
    assert [*made] == [
        ("git.push", None),
        ("git.pullrequest.created", None),
        ("git.pullrequest.updated", "PushNotification"),
        ("git.pullrequest.updated", "ReviewersUpdateNotification"),
        ("git.pullrequest.updated", "StatusUpdateNotification"),
        ("git.pullrequest.updated", "ReviewerVoteNotification"),
        ("ms.vss-code.git-pullrequest-comment-event", None),
        ("build.complete", None),
    ]
    pushes, votes = made["git.push", None], made["git.pullrequest.updated", "ReviewerVoteNotification"]
    inputs = {"url": URL, "basicAuthUsername": "pointsman", "basicAuthPassword": "an-older-one"}
    assert pushes["consumerInputs"] == inputs
    assert votes["consumerInputs"] == inputs | {"httpHeaders": "x-pointsman-about:ReviewerVoteNotification"}
    assert pushes["publisherInputs"] == {"projectId": stage.repo.project_id, "repository": stage.repo.id}
    assert made["build.complete", None]["publisherInputs"] == {"projectId": stage.repo.project_id}
    assert "service hooks call the bot" in {one.says for one in found}
    assert f"git.push calls {URL} from now on" in {one.says for one in found}
    assert not any(word in repr(found) for word in ("an-older-one", SECRET))
    list(stage.forge.connect(stage.repository, URL))
    assert len(stage.org.subscriptions) == 8


def test_what_was_connected_tells_each_update_once_and_rightly(stage: AzureStage) -> None:
    door = stage.org.subscriptions[0]["consumerInputs"]["url"]
    stage.org.subscriptions.clear()
    list(stage.forge.connect(stage.repository, door))
    for login in ("jane", "kim"):
        stage.person(login, "write")
    stage.push("jane", "feature/x", {"a.txt": "a\n"}, "feat: a")
    change = pulls.Pull(
        1,
        "t",
        "",
        stage.org.people["jane"],
        "feature/x",
        "main",
        str(stage.head("feature/x")),
        str(stage.head("main")),
    )
    stage.repo.pulls[1] = change
    talk.vote(stage.org, stage.repo, change, stage.org.people["kim"], 10)
    stage.push("jane", "feature/x", {"a.txt": "b\n"}, "fix: a")
    told = [
        fact.draft.type for call in stage.calls(5) for fact in stage.forge.normalise(call.headers, call.body)
    ]
    assert told[1:] == ["Pushed", "ReviewSubmitted", "Pushed", "ChangeUpdated"]


def test_connecting_over_an_open_line_is_said_aloud(stage: AzureStage) -> None:
    found = {
        one.says: one.standing
        for one in stage.forge.connect(stage.repository, "http://bot.example/webhooks/azure")
    }
    assert found["the secret of the service hooks goes over an unencrypted connection"] == Standing.WARNING


def test_connecting_without_the_right_to(stage: AzureStage) -> None:
    stage.org.subscriptions.clear()
    stage.take_write_access()
    says = [one.says for one in stage.forge.connect(stage.repository, URL)]
    assert "could not be connected: You do not have permission to create this subscription" in says


@pytest.mark.parametrize("verb", ["examine", "connect"])
def test_without_an_account_it_says_so(stage: AzureStage, verb: str) -> None:
    made = type(stage.forge)((b"s",), stage.forge._people, None)
    (only,) = made.examine([]) if verb == "examine" else made.connect("demo/booking", URL)
    assert only.standing == Standing.BROKEN
    assert "POINTSMAN_AZURE_URL" in only.do
