"""Pushes, changes and comments of GitLab in our words."""

from __future__ import annotations

import pytest

from bot.messages import BOT
from tests.forges.gitlab.calls import (
    BRANCH,
    CHANGE,
    JANE,
    LOGIN,
    US,
    ZERO,
    A,
    B,
    Json,
    merge_request,
    note,
    one,
    push,
    told,
)


def test_a_push_is_told_with_messages_and_paths() -> None:
    fact = one(push())
    assert (fact.draft.type, fact.draft.actor, fact.draft.subject) == ("Pushed", "jane", BRANCH)
    assert fact.draft.data == {
        "repository": "acme/booking", "branch": "feature/x", "before": A, "after": B, "pusher": "jane", "defaultBranch": "main",
        "messages": ["feat: x\n\nTrace-Id: trace-1"], "paths": ["a.py", "b.py", "c.py"], "cut": False,
    }  # fmt: skip
    assert fact.hints == (BRANCH, f"gitlab:acme/booking={B}")
    assert (fact.trace_id, fact.new_trace, fact.repository) == ("trace-1", True, "acme/booking")


def test_the_default_branch_belongs_to_no_trace() -> None:
    assert one(push(ref="refs/heads/main")).hints == (f"gitlab:acme/booking={B}",)


def test_a_push_of_very_many_commits_is_cut() -> None:
    assert one(push(total_commits_count=30)).draft.data["cut"] is True


def test_the_bot_has_one_name_everywhere() -> None:
    fact = one(push(user_username=LOGIN))
    assert (fact.draft.actor, fact.draft.data["pusher"]) == (BOT, BOT)


@pytest.mark.parametrize("name", [LOGIN, BOT])
def test_a_display_name_proves_nothing(name: str) -> None:
    """A system hook tells no user name; whoever calls themselves the bot is not."""
    said = {key: value for key, value in push().items() if key != "user_username"}
    fact = one(said | {"user_name": name, "user_email": "eve@example.org"})
    assert fact.draft.actor == fact.draft.data["pusher"] == "eve@example.org"


def test_a_deleted_branch() -> None:
    fact = one(push(after=ZERO, commits=[], checkout_sha=None))
    assert (fact.draft.type, fact.new_trace) == ("BranchDeleted", False)
    assert fact.draft.data == {
        "repository": "acme/booking",
        "branch": "feature/x",
        "before": A,
        "pusher": "jane",
    }
    assert fact.hints == (BRANCH, f"gitlab:acme/booking={A}")


def test_tags_made_and_deleted() -> None:
    tag = {"object_kind": "tag_push", "ref": "refs/tags/v1.0.0"}
    made = one(push(**tag, before=ZERO, after=A, checkout_sha=B))
    # An annotated tag is an object of its own; what counts is the commit.
    assert made.draft.data == {
        "repository": "acme/booking",
        "tag": "v1.0.0",
        "before": ZERO,
        "after": B,
        "pusher": "jane",
    }
    assert made.hints == (f"gitlab:acme/booking={B}",)
    gone = one(push(**tag, before=A, after=ZERO, checkout_sha=None))
    assert (gone.draft.type, gone.draft.data["after"], gone.hints) == (
        "TagPushed",
        ZERO,
        (f"gitlab:acme/booking={A}",),
    )


@pytest.mark.parametrize(
    ("action", "type_"), [("open", "ChangeOpened"), ("reopen", "ChangeReopened"), ("close", "ChangeClosed")]
)
def test_the_life_of_a_change(action: str, type_: str) -> None:
    fact = one(merge_request(action, labels=("b", "a")))
    assert fact.draft.type == type_
    assert fact.draft.data == {
        "repository": "acme/booking", "number": 3, "title": "feat: x", "url": "https://gitlab.test/acme/booking/-/merge_requests/3",
        "author": "jane", "source": "feature/x", "target": "main", "head": B, "labels": ["a", "b"], "draft": False, "fork": False,
    }  # fmt: skip
    assert fact.hints == (CHANGE, BRANCH, f"gitlab:acme/booking={B}")
    assert (fact.trace_id, fact.new_trace) == ("trace-1", True)


def test_an_author_who_is_not_named_is_left_out() -> None:
    """Nobody is put in their place: what is known of the author stays."""
    assert "author" not in one(merge_request("close", author_id=77)).draft.data
    said = merge_request("close", author_id=5) | {"assignees": [{"id": 5, "username": "sam"}]}
    assert one(said).draft.data["author"] == "sam"


def test_what_a_call_does_not_tell_is_not_told_as_nothing() -> None:
    assert {"committers", "lastPusher", "coAuthors"}.isdisjoint(one(merge_request("open")).draft.data)


def test_a_change_from_a_fork_is_not_known_by_its_branch() -> None:
    fact = one(merge_request("open", source_project_id=8))
    assert fact.draft.data["fork"] is True
    assert fact.hints == (CHANGE, f"gitlab:acme/booking={B}")


def test_new_commits_name_who_pushed_them() -> None:
    fact = one(merge_request("update", oldrev=A))
    assert (fact.draft.type, fact.draft.data["lastPusher"]) == ("ChangeUpdated", "jane")


@pytest.mark.parametrize("field", ["title", "description", "draft", "target_branch"])
def test_an_edit_is_told_unless_it_is_the_bots(field: str) -> None:
    changes = {field: {"previous": "x", "current": "y"}}
    assert one(merge_request("update", changes=changes)).draft.type == "ChangeUpdated"
    assert told(merge_request("update", US, changes=changes)) == []


def test_labels_and_reviewers_may_come_in_one_call() -> None:
    changes = {
        "labels": {"previous": [], "current": [{"title": "hotfix"}]},
        "reviewers": {
            "previous": [{"username": "sam"}],
            "current": [{"username": "sam"}, {"username": LOGIN}],
        },
        "title": {"previous": "x", "current": "y"},
    }
    facts = told(merge_request("update", changes=changes, labels=("hotfix",)))
    assert [fact.draft.type for fact in facts] == ["ChangeUpdated", "ChangeLabelled", "ReviewRequested"]
    assert facts[1].draft.data["labels"] == ["hotfix"]
    assert facts[2].draft.data == {"repository": "acme/booking", "change": 3, "reviewers": [BOT]}


@pytest.mark.parametrize(
    "changes", [{}, {"merge_status": {}}, {"reviewers": {"previous": [JANE], "current": []}}]
)
def test_an_update_that_changes_nothing_of_interest_says_nothing(changes: Json) -> None:
    assert told(merge_request("update", changes=changes)) == []


def test_a_merged_change() -> None:
    fact = one(merge_request("merge", US, merge_commit_sha=A))
    assert (fact.draft.type, fact.draft.actor) == ("ChangeMerged", BOT)
    said = fact.draft.data
    # The trees are not told: they are asked for before approvals carry over.
    assert (said["mergeSha"], said["head"], said["mergedBy"], said["tree"], said["headTree"]) == (
        A,
        B,
        BOT,
        "",
        "",
    )


def test_a_fast_forward_has_no_merge_commit() -> None:
    assert one(merge_request("merge")).draft.data["mergeSha"] == B


@pytest.mark.parametrize("action", ["approved", "approval"])
def test_an_approval_is_a_review(action: str) -> None:
    fact = one(merge_request(action))
    assert fact.draft.data == {
        "repository": "acme/booking", "change": 3, "reviewId": "3-jane-20261120080000", "author": "jane", "state": "approved",
        "revision": B, "submittedAt": "2026-11-20T08:00:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("action", ["unapproved", "unapproval"])
def test_an_approval_taken_back(action: str) -> None:
    fact = one(merge_request(action))
    assert (fact.draft.type, fact.draft.data["author"], fact.draft.data["dismissedBy"]) == (
        "ReviewDismissed",
        "jane",
        "jane",
    )
    reset = one(merge_request(action, system=True, system_action="approvals_reset_on_push"))
    assert (reset.draft.data["author"], reset.draft.data["dismissedBy"]) == ("", "jane")


@pytest.mark.parametrize(("action", "type_"), [("create", "CommentCreated"), ("update", "CommentEdited")])
def test_comments_on_a_change(action: str, type_: str) -> None:
    fact = one(note(action))
    assert fact.draft.type == type_
    assert fact.draft.data == {
        "repository": "acme/booking", "change": 3, "commentId": "21", "author": "jane", "authorIsBot": False, "body": "/help",
        "createdAt": "2026-11-20T08:00:00.000Z", "url": "https://gitlab.test/n", "on": "change",
    }  # fmt: skip
    assert (fact.hints, fact.new_trace) == ((CHANGE, BRANCH, f"gitlab:acme/booking={B}"), True)


def test_before_actions_were_told_a_comment_was_a_new_one() -> None:
    said = note()
    del said["object_attributes"]["action"]
    assert one(said).draft.type == "CommentCreated"


def test_a_comment_in_a_review_thread() -> None:
    assert one(note(type="DiffNote")).draft.data["on"] == "thread"
    assert one(note(type="DiscussionNote")).draft.data["on"] == "change"


@pytest.mark.parametrize(
    ("username", "machine"),
    [
        (LOGIN, True), ("project_15_bot_2ad1f0", True), ("group_3_bot", True), ("service_account_group_9_abc", True),
        ("GitLabDuo-Bot", True), ("jane", False), ("robot", False), ("project_manager", False),
    ],
)  # fmt: skip
def test_machines_are_known_by_their_names(username: str, machine: bool) -> None:
    assert one(note(user={"id": 1, "username": username})).draft.data["authorIsBot"] is machine


def test_a_comment_on_an_issue_belongs_to_no_trace() -> None:
    said = note(noteable_type="Issue") | {"issue": {"iid": 17}, "event_type": "confidential_note"}
    fact = one(said)
    assert (fact.draft.data["change"], fact.draft.data["on"], fact.hints, fact.new_trace) == (
        17,
        "issue",
        (),
        False,
    )


@pytest.mark.parametrize(
    "more", [{"noteable_type": "Commit"}, {"noteable_type": "Snippet"}, {"system": True}, {"action": "purge"}]
)
def test_other_comments_say_nothing(more: Json) -> None:
    assert told(note(**more)) == []
