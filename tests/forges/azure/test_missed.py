"""Service hook calls that never arrived are found: what failed, and what no subscription was awake for."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.port import Missed
from tests.forges.azure.fake import talk
from tests.forges.conformance.stages.azure import AzureStage
from tests.forges.world import until

NOWHERE = "http://127.0.0.1:9/nobody"


def quiet(stage: AzureStage) -> None:
    until(stage.town.sender.quiet)


def missed(stage: AzureStage, since: datetime | None = None) -> list[Missed]:
    quiet(stage)
    return list(stage.forge.missed(since or stage.since))


def told(stage: AzureStage, calls: list[Missed]) -> list[tuple[str, str | None]]:
    facts = [fact for call in calls for fact in stage.forge.normalise(call.headers, call.body)]
    return [(fact.draft.type, fact.draft.actor) for fact in facts]


def delivered(stage: AzureStage) -> set[str]:
    quiet(stage)
    return {
        stage.forge.authenticate(one.headers, one.raw, one.body).delivery_id for one in stage.town.received
    }


def asleep(stage: AzureStage, status: str = "disabledBySystem") -> None:
    quiet(stage)
    for one in stage.org.subscriptions:
        one["status"] = status


def later(*, seconds: float) -> str:
    """A moment from now, as the forge writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def commit(stage: AzureStage, branch: str = "feature/x") -> str:
    files = (e.File(path=f"{branch}.txt", content="x\n"),)
    effect = e.CommitFiles(
        branch=branch, base="main", files=files, message="feat: x", repository=stage.repository
    )
    made: Any = stage.forge.perform(f"c.{branch}", effect, EffectContext("acme", "t", lambda _: None))
    return str(made.sha)


def open_(stage: AzureStage, branch: str = "feature/x") -> int:
    effect = e.OpenChange(
        source=branch, target_branch="main", title="t", body="", repository=stage.repository
    )
    made: Any = stage.forge.perform("o", effect, EffectContext("acme", "t", lambda _: None))
    return int(made.number)


def test_what_arrived_was_not_missed(stage: AzureStage) -> None:
    commit(stage)
    open_(stage)
    assert missed(stage) == []


def test_a_call_that_failed_is_told_as_it_was(stage: AzureStage) -> None:
    stage.person("jane", "write")
    stage.deliver_to(NOWHERE)
    head = stage.push("jane", "feature/x", {"a.txt": "a\n"}, "fix: a\n\nTrace-Id: trace-9")
    (call,) = missed(stage)
    assert told(stage, [call]) == [("Pushed", "jane")]
    (fact,) = stage.forge.normalise(call.headers, call.body)
    assert (fact.draft.data["after"], fact.trace_id) == (head, "trace-9")
    assert call.delivery.shard_key == stage.repository
    assert "subscriptionId" in json.loads(call.body)


def test_the_same_call_is_told_under_the_same_id_whenever_it_is_asked_for(stage: AzureStage) -> None:
    stage.person("jane", "write")
    stage.deliver_to(NOWHERE)
    stage.push("jane", "feature/x", {"a.txt": "a\n"}, "fix: a")
    first, again = missed(stage), missed(stage)
    assert [one.delivery for one in first] == [one.delivery for one in again]


def test_what_was_before_is_not_asked_for(stage: AzureStage) -> None:
    stage.deliver_to(NOWHERE)
    commit(stage)
    assert missed(stage, datetime.now(UTC) + timedelta(seconds=5)) == []


@pytest.mark.parametrize("status", ["disabledBySystem", "onProbation"])
def test_while_its_hooks_sleep_the_repository_itself_is_read(stage: AzureStage, status: str) -> None:
    stage.person("jane", "write")
    asleep(stage, status)
    head = commit(stage)
    number = open_(stage)
    stage.comment("jane", number, "/approve-release production")
    stage.push("jane", "feature/x", {"a.txt": "a\n"}, "fix: hers")
    calls = missed(stage)
    assert Counter(told(stage, calls)) == {
        ("Pushed", "owner"): 1,
        ("Pushed", "pointsman[bot]"): 1,
        ("ChangeOpened", "pointsman[bot]"): 1,
        ("CommentCreated", "jane"): 1,
        ("Pushed", "jane"): 1,
    }
    assert head
    names = [one.delivery.delivery_id.partition(":")[0] for one in calls]
    assert Counter(names) == {"push": 3, "created": 1, "comment": 1}


def test_what_was_delivered_before_they_slept_has_the_same_id(stage: AzureStage) -> None:
    stage.person("jane", "write")
    commit(stage)
    number = open_(stage)
    stage.comment("jane", number, "/help")
    stage.org.slow_merges = 0
    head = stage.head("feature/x")
    effect = e.MergeChange(
        change=number, expected_head=str(head), message="feat: x\n\nbody", repository=stage.repository
    )
    stage.forge.perform("m", effect, EffectContext("acme", "t", lambda _: None))
    arrived = delivered(stage)
    asleep(stage)
    again = {one.delivery.delivery_id for one in missed(stage)}
    assert again
    assert again <= arrived


def test_the_end_of_a_change_is_found(stage: AzureStage) -> None:
    commit(stage)
    number = open_(stage)
    asleep(stage)
    since = datetime.now(UTC)
    effect = e.UpdateChange(change=number, state="closed", repository=stage.repository)
    stage.forge.perform("u", effect, EffectContext("acme", "t", lambda _: None))
    assert told(stage, missed(stage, since)) == [("ChangeClosed", "pointsman[bot]")]


def test_the_new_head_of_a_change_is_found_and_told_once(stage: AzureStage) -> None:
    stage.person("jane", "write")
    commit(stage)
    number = open_(stage)
    asleep(stage)
    since = datetime.now(UTC)
    head = stage.push("jane", "feature/x", {"a.txt": "a\n"}, "fix: hers")
    calls = missed(stage, since)
    assert told(stage, calls) == [("Pushed", "jane"), ("ChangeUpdated", None)]
    assert calls[1].delivery.delivery_id == f"seen:{stage.repo.id}:{number}:{head}"


def test_an_edit_that_was_missed_is_an_edit_and_never_a_command(stage: AzureStage) -> None:
    stage.person("jane", "write")
    commit(stage)
    number = open_(stage)
    asleep(stage)
    thread = talk.say(stage.org, stage.repo, stage.repo.pulls[number], stage.org.people["jane"], "hello")
    thread.comments[0].content = "/approve-release production"
    thread.comments[0].written = later(seconds=5)
    assert ("CommentEdited", "jane") in told(stage, missed(stage))
    assert "CommentCreated" not in {type_ for type_, _ in told(stage, missed(stage))}


def test_hooks_of_others_are_none_of_ours(stage: AzureStage) -> None:
    for one in stage.org.subscriptions:
        one["consumerInputs"]["url"] = "https://ci.example/hook"
    asleep(stage)
    commit(stage)
    assert missed(stage) == []
