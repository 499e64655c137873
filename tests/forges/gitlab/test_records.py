"""Comments, checks, deployments and tags: what GitLab makes of them, and what it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain import effect as e
from bot.forges.gitlab.checks import shortened
from bot.forges.local.git import ZERO
from tests.forges.gitlab.conftest import FOR_CHANGES, Desk, check, refusal
from tests.forges.gitlab.fake.state import Deployment, now
from tests.forges.gitlab.fake.world import BOT_LOGIN


def test_a_reply_goes_into_its_thread(desk: Desk, head: str) -> None:
    world = desk.world
    first = world.deeds.note(world.project, world.owner, world.change(1), "Why?")
    second = world.deeds.note(
        world.project, world.owner, world.change(1), "And why?", discussion=first.discussion
    )
    alone = world.deeds.note(world.project, world.owner, world.change(1), "/help")
    for number, comment in enumerate((second, alone)):
        desk.do(e.PostComment(change=1, body="Because.", reply_to=str(comment.id)), f"t.{number}.0")
    replies = [note for note in world.change(1).notes if note.body.startswith("Because.")]
    assert [note.discussion == first.discussion for note in replies] == [True, False]


def test_another_persons_comment_with_our_mark_is_theirs(desk: Desk, head: str) -> None:
    desk.stage.comment("olive", 1, "Approved!\n\n<!-- pointsman:sticky:status -->")
    desk.do(e.PostComment(change=1, body="Waiting.", sticky="status"))
    assert [body for _, body in desk.stage.comments(1)] == ["Approved!", "Waiting."]


def test_a_comment_beyond_gitlabs_limit(desk: Desk, head: str) -> None:
    assert refusal(desk, e.PostComment(change=1, body="x" * 1_000_001))[0] == "TooLong"


@pytest.mark.parametrize("old", [True, False])
def test_a_pending_check_may_be_set_again(desk: Desk, head: str, old: bool) -> None:
    """Before 18.3 its text stays; what counts is its state."""
    desk.world.state.rejects_same_status = old
    first = desk.do(check(head))
    assert desk.do(check(head, "Waiting for jane")) == first
    (status,) = desk.world.project.pipelines[-1].external
    assert (status.status, status.description) == ("pending", "Waiting" if old else "Waiting for jane")
    asked = len(desk.server.asked)
    desk.do(check(head, status.description or ""))
    assert {method for method, _ in desk.server.asked[asked:]} == {"GET"}, (
        "nothing is written that is so already"
    )


def test_a_check_may_turn(desk: Desk, head: str) -> None:
    for conclusion in ("success", "failure", None, "neutral"):
        desk.do(check(head, str(conclusion), conclusion))
        wanted = {"failure": "failure", None: None}.get(conclusion, "success")
        assert desk.stage.checks(head) == {"pointsman/release: x": wanted}


def test_a_check_is_said_again_in_the_pipeline_that_begins_after_it(desk: Desk) -> None:
    """What it was in before is not what merging waits for."""
    desk.stage.put({".gitlab-ci.yml": FOR_CHANGES, "ci/one.yml": "unit: {script: [make]}\n"})
    made = desk.commit(branch="feature/y")
    desk.do(check(made, conclusion="success"))
    desk.change(branch="feature/y")
    older, newer = desk.world.project.pipelines[-2:]
    assert ([one.status for one in older.external], newer.external) == (["success"], [])
    for _ in range(2):
        desk.do(check(made, conclusion="success"), "t.9.0")
    assert [one.status for one in newer.external] == ["success"]


def test_a_status_of_another_tool_of_the_same_name_is_not_ours(desk: Desk, head: str) -> None:
    desk.do(check(head, conclusion="success"))
    desk.world.project.pipelines[-1].external[0].author = desk.world.owner
    desk.do(check(head, conclusion="success"))
    assert len(desk.world.project.pipelines[-1].external) == 2


@pytest.mark.parametrize(("text", "shown"), [("x" * 255, "x" * 255), ("x" * 256, "x" * 254 + "…")])
def test_a_text_is_cut_to_what_a_status_takes(text: str, shown: str) -> None:
    assert shortened(text) == shown


def record(head: str, state: Any, **more: Any) -> e.RecordDeployment:
    return e.RecordDeployment(environment="staging", revision=head, state=state, **more)


def test_a_deployment_ends_and_may_begin_again(desk: Desk, head: str) -> None:
    for number, state in enumerate(("in_progress", "failure", "in_progress", "success", "inactive")):
        desk.do(record(head, state, url="https://staging.test"), f"t.{number}.0")
    assert [(done.status, done.sha) for done in desk.world.project.deployments] == [
        ("failed", head),
        ("success", head),
    ]
    assert desk.world.project.environments["staging"]["external_url"] == "https://staging.test"


def test_what_runs_may_be_taken_back_and_what_never_ran_not(desk: Desk, head: str) -> None:
    assert desk.do(record(head, "inactive")).id == ""
    desk.do(record(head, "in_progress"))
    desk.do(record(head, "inactive"))
    assert [done.status for done in desk.world.project.deployments] == ["canceled"]


def waiting(desk: Desk, head: str) -> Deployment:
    world = desk.world
    world.project.environments["production"] = {
        "id": 9,
        "name": "production",
        "slug": "production",
        "external_url": None,
    }
    done = Deployment(
        world.state.next_id("deployment"), 1, "production", head, "main", world.owner, now(), "blocked"
    )
    world.project.deployments.append(done)
    return done


@pytest.mark.parametrize("state", ["approved", "rejected"])
def test_a_deployment_that_asks_is_answered_once(desk: Desk, head: str, state: Any) -> None:
    asked = waiting(desk, head)
    answer = e.AnswerDeployment(
        environment="production", deployment_id=str(asked.id), state=state, comment="By policy."
    )
    desk.fault("POST", "/approval$", kind="lost")
    assert desk.insist(answer).id == str(asked.id)
    assert [(one["user"], one["status"], one["comment"]) for one in asked.approvals] == [
        (BOT_LOGIN, state, "By policy.")
    ]


def test_a_tag_that_somebody_makes_at_the_same_moment(desk: Desk, head: str) -> None:
    desk.fault("POST", "/tags$", status=400, body={"message": "Tag v1 already exists"})
    desk.fault("GET", "/tags/v1$", status=404)
    desk.world.project.repo.move("refs/tags/v1", head, ZERO)
    assert desk.do(e.CreateTag(name="v1", revision=head)).id == "v1"


@pytest.mark.parametrize(
    ("name", "code"), [("a b", "InvalidTag"), ("-x", "InvalidTag"), ("v~1", "InvalidTag")]
)
def test_what_cannot_be_a_tag(desk: Desk, head: str, name: str, code: str) -> None:
    assert refusal(desk, e.CreateTag(name=name, revision=head)) == (
        code,
        f"{name!r} cannot be the name of a tag",
    )
