"""Calls that never arrived are found: as they were, or from what the project shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import effect as e
from bot.domain.errors import Retryable
from bot.forges.gitlab.missed import missed
from bot.forges.port import RepositoryFact
from bot.messages import BOT
from tests.forges.gitlab.conftest import Desk
from tests.forges.world import until

BASE = "http://127.0.0.1:9"
NOWHERE = f"{BASE}/webhooks/gitlab"


@pytest.fixture
def since(desk: Desk) -> datetime:
    """From now on nobody answers."""
    until(lambda: desk.world.received)
    desk.stage.deliver_to(NOWHERE)
    desk.world.project.events.clear()
    return datetime.now(UTC) - timedelta(seconds=1)


def found(desk: Desk, since: datetime) -> list[Any]:
    return list(missed(desk.api, BASE, since))


def told(desk: Desk, since: datetime) -> list[RepositoryFact]:
    return [fact for one in found(desk, since) for fact in desk.forge.normalise(one.headers, one.body)]


def test_calls_that_failed_are_told_as_they_were(desk: Desk, since: datetime) -> None:
    head = desk.commit()
    desk.change()
    desk.world.deeds.sender.settled()
    facts = told(desk, since)
    assert [(fact.draft.type, fact.draft.actor) for fact in facts] == [("Pushed", BOT), ("ChangeOpened", BOT)]
    assert facts[0].draft.data["after"] == head
    assert {one.delivery.shard_key for one in found(desk, since)} == {desk.stage.repository}


def test_a_call_sent_again_by_hand_is_the_same_call(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.world.deeds.sender.settled()
    (lost,) = found(desk, since)
    hook = desk.world.project.hooks[0]
    from tests.forges.gitlab.fake.world import receiving

    with receiving() as (door, received):
        hook.url = door
        desk.world.deeds.sender.again(hook, hook.events[-1])
        until(lambda: received)
    again = received[0]
    assert (
        desk.forge.authenticate(again.headers, again.raw, again.body).delivery_id == lost.delivery.delivery_id
    )


@pytest.mark.parametrize("status", ["401", "413", "500", "503", "internal error"])
def test_every_kind_of_failure_counts(desk: Desk, since: datetime, status: str) -> None:
    desk.commit()
    desk.world.deeds.sender.settled()
    desk.world.project.hooks[0].events[-1]["response_status"] = status
    assert len(found(desk, since)) == 1


def test_calls_that_arrived_are_not_told_again(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.world.deeds.sender.settled()
    desk.world.project.hooks[0].events[-1]["response_status"] = "202"
    assert found(desk, since) == []


def test_a_call_that_gitlab_did_not_keep_whole_is_left_out(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.world.deeds.sender.settled()
    desk.world.project.hooks[0].events[-1]["request_data"] = {"oversize": True}
    assert found(desk, since) == []


def test_no_secret_is_among_the_headers(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.world.deeds.sender.settled()
    assert {name for one in found(desk, since) for name in one.headers} == {
        "x-gitlab-event",
        "idempotency-key",
    }


def silent(desk: Desk, how: str) -> None:
    """The hook's own list tells nothing."""
    if how == "disabled":
        desk.world.deeds.sender.settled()
        desk.world.project.hooks[0].events.clear()
        desk.world.project.hooks[0].alert_status = "disabled"
    elif how == "no maintainer":
        desk.world.role(30)
    else:
        desk.fault("GET", "/events$", status=404, times=3)


HOW = ["disabled", "no maintainer", "no such list"]


@pytest.mark.parametrize("how", HOW)
def test_pushes_and_changes_are_told_from_what_is_there(desk: Desk, since: datetime, how: str) -> None:
    desk.commit()
    desk.change(labels=("hotfix",))
    desk.world.person("jane", "write")
    hers = desk.stage.push("jane", "feature/x", {"b.py": "b\n"}, "fix: b\n\nTrace-Id: trace-9")
    said = desk.stage.comment("jane", 1, "/help")
    silent(desk, how)
    facts = told(desk, since)
    assert [(fact.draft.type, fact.draft.actor) for fact in facts] == [
        ("Pushed", BOT),
        ("Pushed", "jane"),
        ("ChangeUpdated", None),
        ("CommentCreated", "jane"),
    ]
    push, change = facts[1].draft.data, facts[2].draft.data
    assert (push["branch"], push["after"], push["messages"], push["paths"]) == (
        "feature/x",
        hers,
        ["fix: b\n\nTrace-Id: trace-9"],
        ["b.py"],
    )
    assert facts[1].trace_id == "trace-9"
    comment = facts[3].draft.data
    assert (comment["commentId"], comment["body"], comment["change"], comment["on"]) == (
        said,
        "/help",
        1,
        "change",
    )
    assert facts[3].hints == facts[2].hints
    assert (change["head"], change["labels"], change["author"], "lastPusher" in change) == (
        hers,
        ["hotfix"],
        BOT,
        False,
    )


def test_a_project_that_nobody_connected_is_left_alone(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.change()
    desk.world.project.hooks[0].url = "https://elsewhere.test/hook"
    assert found(desk, since) == []


def test_what_is_told_from_the_state_is_told_once(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.change()
    silent(desk, "disabled")
    first, second = ([one.delivery.delivery_id for one in found(desk, since)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 2
    desk.do(e.UpdateChange(change=1, title="feat: y"), "t.9.0")
    assert len({one.delivery.delivery_id for one in found(desk, since)} - set(first)) == 1


@pytest.mark.parametrize(("state", "type_"), [("closed", "ChangeClosed"), ("merged", "ChangeMerged")])
def test_the_end_of_a_change_is_told_from_the_state(
    desk: Desk, since: datetime, state: str, type_: str
) -> None:
    head = desk.commit()
    desk.change()
    if state == "closed":
        desk.do(e.UpdateChange(change=1, state="closed"))
    else:
        desk.do(e.MergeChange(change=1, expected_head=head, message="feat: x"))
    silent(desk, "disabled")
    last = told(desk, since)[-1]
    assert (last.draft.type, last.draft.actor) == (type_, BOT)
    if state == "merged":
        assert last.draft.data["mergeSha"] == desk.stage.head("main")


def test_deleted_branches_and_tags_are_told_from_the_state(desk: Desk, since: datetime) -> None:
    head = desk.commit()
    desk.do(e.CreateTag(name="v1", revision=head))
    desk.stage.delete_branch("olive", "feature/x")
    silent(desk, "disabled")
    said = [(fact.draft.type, fact.draft.data.get("after")) for fact in told(desk, since)]
    assert said == [("Pushed", head), ("TagPushed", head), ("BranchDeleted", None)]


def test_what_was_before_is_not_told(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.change()
    silent(desk, "disabled")
    assert found(desk, datetime.now(UTC) + timedelta(seconds=1)) == []


def test_projects_where_nothing_happened_are_not_asked(desk: Desk, since: datetime) -> None:
    desk.world.project.last_activity = datetime.now(UTC) - timedelta(days=2)
    asked = len(desk.server.asked)
    assert found(desk, since) == []
    assert [path for _, path in desk.server.asked[asked:]] == ["/api/v4/projects"]


def test_a_branch_that_somebody_rewrote_since_has_lost_its_commits(desk: Desk, since: datetime) -> None:
    desk.commit()
    desk.world.project.events[-1]["push_data"]["commit_from"] = "f" * 40
    silent(desk, "disabled")
    assert told(desk, since)[0].draft.data["messages"] == []


def test_an_outage_is_told_to_who_asks(desk: Desk, since: datetime) -> None:
    desk.fault("GET", "/projects$", status=503)
    with pytest.raises(Retryable):
        found(desk, since)
