"""Webhook calls that never arrived are found."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import Retryable
from bot.forges.port import Missed
from tests.forges.conformance.stages.github import GitHubStage
from tests.forges.github.deeds import BRANCH, committed, proposed
from tests.forges.github.fake.hub import Attempt

HOUR = timedelta(hours=1)


def lately() -> datetime:
    return datetime.now(UTC) - HOUR


def attempt(
    stage: GitHubStage, guid: str, status: int, *, ago: timedelta = timedelta(0), event: str = "push"
) -> None:
    payload = {"repository": {"full_name": "acme/booking"}, "said": guid}
    at = datetime.now(UTC) - ago
    stage.hub.attempts.append(Attempt(stage.hub.number(), guid, at, event, payload, status))


def found(stage: GitHubStage) -> list[Missed]:
    return list(stage.forge.missed(lately()))


def test_calls_that_failed_are_given_as_they_would_have_come(stage: GitHubStage) -> None:
    attempt(stage, "old", 500, ago=2 * HOUR)
    attempt(stage, "first", 503, event="issue_comment")
    attempt(stage, "arrived", 202)
    attempt(stage, "second", 0)
    attempt(stage, "again", 500)
    attempt(stage, "again", 202)
    attempt(stage, "twice", 401)
    attempt(stage, "twice", 401)
    calls = found(stage)
    assert [one.delivery.delivery_id for one in calls] == ["first", "second", "twice"]
    assert {one.delivery.shard_key for one in calls} == {"acme/booking"}
    assert calls[0].headers["x-github-event"] == "issue_comment"
    assert json.loads(calls[0].body)["said"] == "first"


def test_a_long_list_is_read_to_the_moment_asked_for(stage: GitHubStage) -> None:
    for number in range(230):
        attempt(stage, f"call-{number}", 500)
    assert len(found(stage)) == 230
    assert len(stage.server.asked(r"^GET /app/hook/deliveries$")) == 3


def test_what_was_lost_says_the_same_as_if_it_had_come(stage: GitHubStage) -> None:
    stage.deliver_to("http://127.0.0.1:9/nobody")
    committed(stage)
    stage.telling.close()
    sent = {call.headers["x-github-delivery"]: call for call in stage.telling.calls}
    told = [one for one in found(stage) if one.delivery.delivery_id in sent]
    assert told
    for one in told:
        call = sent[one.delivery.delivery_id]
        assert stage.forge.normalise(one.headers, one.body) == stage.forge.normalise(call.headers, call.body)
        assert one.delivery == stage.forge.authenticate(call.headers, call.raw, call.body)


def test_a_forge_that_does_not_tell_is_asked_again(stage: GitHubStage) -> None:
    stage.server.fail("/app/hook/deliveries", status=422, json={"message": "no"})
    with pytest.raises(Retryable) as failed:
        found(stage)
    assert failed.value.message == "GitHub does not tell which calls failed: no"


def test_with_a_token_the_heads_of_changes_are_read_once_each(user_stage: GitHubStage) -> None:
    stage = user_stage
    proposed(stage)
    assert found(stage) == [], "no trace lives in a repository yet"
    stage.forge.ground.known_repositories = lambda: ["acme/booking"]
    (first,) = found(stage)
    (fact,) = stage.forge.normalise(first.headers, first.body)
    assert (fact.draft.type, fact.draft.actor, fact.draft.data["head"]) == (
        "ChangeUpdated",
        "ghost",
        stage.head(BRANCH),
    )
    assert "lastPusher" not in fact.draft.data
    stage.comment("jane", 1, "no new head")
    (again,) = found(stage)
    assert again.delivery == first.delivery
    stage.push("jane", BRANCH, {"b.py": "b\n"}, "fix: b")
    (moved,) = found(stage)
    assert moved.delivery != first.delivery


@pytest.mark.parametrize(("merged", "type_"), [(False, "ChangeClosed"), (True, "ChangeMerged")])
def test_with_a_token_ends_of_changes_are_read(user_stage: GitHubStage, merged: bool, type_: str) -> None:
    stage = user_stage
    sha = proposed(stage)
    stage.forge.ground.known_repositories = lambda: ["acme/booking"]
    pull = stage.repo.pulls[1]
    pull.state = "closed"
    if merged:
        pull.merged_at, pull.merge_commit_sha = pull.updated_at, sha
    (one,) = found(stage)
    (fact,) = stage.forge.normalise(one.headers, one.body)
    assert fact.draft.type == type_
    assert fact.hints[0] == "github:acme/booking#1"


def test_the_repositories_of_traces_are_known(user_stage: GitHubStage) -> None:
    assert user_stage.forge.ground.known_repositories() == []
