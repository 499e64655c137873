"""Service hook calls in our words: pushes, changes, votes, comments."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Invalid
from bot.forges.azure.names import People
from bot.forges.azure.normalise import normalise
from bot.forges.azure.said import KINDS, VOTE
from bot.messages import BOT
from tests.forges.azure import bodies
from tests.forges.azure.bodies import BASE, HEAD, MERGED, draft, fact, facts, types

ZERO = "0" * 40
TRAILER = "feat: add\n\nTrace-Id: trace-1"


def test_a_push_of_a_branch() -> None:
    said = fact(
        bodies.push(("refs/heads/feature/x", BASE, HEAD), commits=((HEAD, TRAILER), (MERGED, "first")))
    )
    assert (said.repository, said.trace_id, said.new_trace) == ("demo/booking", "trace-1", True)
    assert said.hints == ("azure:demo/booking@feature/x", f"azure:demo/booking={HEAD}")
    assert said.draft.actor == "jane@acme.example"
    assert said.draft.data == {
        "repository": "demo/booking",
        "branch": "feature/x",
        "before": BASE,
        "after": HEAD,
        "pusher": "jane@acme.example",
        "defaultBranch": "main",
        "messages": ["first", TRAILER],
        "paths": [],
        "cut": True,
    }


def test_the_default_branch_is_nobodys_and_the_bot_has_its_own_name() -> None:
    said = fact(bodies.push(("refs/heads/main", BASE, HEAD), by=bodies.BOT))
    assert said.hints == (f"azure:demo/booking={HEAD}",)
    assert said.draft.actor == said.draft.data["pusher"] == BOT


def test_one_push_may_move_branches_and_tags_and_delete_some() -> None:
    said = bodies.push(
        ("refs/heads/a", ZERO, HEAD),
        ("refs/heads/gone", BASE, ZERO),
        ("refs/tags/v1", ZERO, MERGED),
        ("refs/pull/5/merge", ZERO, MERGED),
        commits=((HEAD, "one"), (MERGED, TRAILER)),
    )
    branch, deleted, tag = facts(said)
    assert (branch.draft.type, branch.draft.data["messages"], branch.trace_id) == ("Pushed", ["one"], None)
    assert (deleted.draft.type, deleted.hints) == (
        "BranchDeleted",
        ("azure:demo/booking@gone", f"azure:demo/booking={BASE}"),
    )
    assert deleted.new_trace is False
    assert (tag.draft.type, tag.draft.data["tag"], tag.trace_id) == ("TagPushed", "v1", "trace-1")
    assert tag.hints == (f"azure:demo/booking={MERGED}",)


def test_a_change_is_opened() -> None:
    said = fact(
        bodies.body(
            "git.pullrequest.created",
            bodies.change(
                isDraft=True, labels=[{"name": "x", "active": True}, {"name": "off", "active": False}]
            ),
        )
    )
    assert (said.draft.type, said.draft.actor, said.new_trace) == ("ChangeOpened", "jane@acme.example", True)
    assert said.hints == (
        "azure:demo/booking#5",
        "azure:demo/booking@feature/booking",
        f"azure:demo/booking={HEAD}",
    )
    assert said.draft.data == {
        "repository": "demo/booking",
        "number": 5,
        "title": "feat: add booking",
        "url": "https://dev.azure.com/acme/demo/_git/booking/pullrequest/5",
        "author": "jane@acme.example",
        "source": "feature/booking",
        "target": "main",
        "head": HEAD,
        "committers": [],
        "labels": ["x"],
        "draft": True,
        "fork": False,
    }


def test_a_change_from_a_fork_is_not_known_by_its_branch() -> None:
    said = fact(bodies.body("git.pullrequest.created", bodies.change(forkSource={"name": "refs/heads/main"})))
    assert said.draft.data["fork"] is True
    assert said.hints == ("azure:demo/booking#5", f"azure:demo/booking={HEAD}")


@pytest.mark.parametrize(
    ("text", "more", "type_", "actor"),
    [
        (
            "Jane Doe updated the source branch of pull request 5 (x) in booking",
            {},
            "ChangeUpdated",
            "jane@acme.example",
        ),
        ("Kim updated the source branch of pull request 5 (x) in booking", {}, "ChangeUpdated", "Kim"),
        ("Jane Doe published pull request 5 (x)", {}, "ChangeUpdated", "jane@acme.example"),
        ("Jane Doe reactivated pull request 5 (x)", {}, "ChangeReopened", "jane@acme.example"),
        ("Jane Doe abandoned pull request 5", {"status": "abandoned"}, "ChangeClosed", "jane@acme.example"),
        ("", {"status": "abandoned", "closedBy": bodies.BOT}, "ChangeClosed", BOT),
        ("", {}, "ChangeUpdated", None),
    ],
)
def test_what_became_of_a_change(text: str, more: dict[str, object], type_: str, actor: str | None) -> None:
    said = draft(bodies.updated(text, **more))
    assert (said.type, said.actor) == (type_, actor)


def test_what_somebody_calls_a_change_does_not_say_what_happened() -> None:
    text = "Jane Doe updated the source branch of pull request 5 (reactivated, approved) in booking"
    assert types(bodies.updated(text, reviewers=[bodies.voter(10)])) == ["ChangeUpdated"]


def test_nobody_becomes_the_bot_by_a_name() -> None:
    for name in ("pointsman[bot]", bodies.BOT_NAME):
        said = draft(bodies.updated(f"{name} updated the source branch of pull request 5 (x) in booking"))
        assert said.actor is None
    twins = [bodies.voter(0, bodies.BOT), bodies.voter(0, bodies.JANE | {"displayName": "Pointsman"})]
    text = "Pointsman updated the source branch of pull request 5 (x) in booking"
    assert draft(bodies.updated(text, reviewers=twins)).actor is None


def test_a_merge_is_told_by_the_end_of_the_change_and_not_by_the_attempts() -> None:
    assert facts(bodies.body("git.pullrequest.merged", bodies.change(status="completed"))) == []
    more = {
        "status": "completed",
        "closedBy": bodies.BOT,
        "lastMergeCommit": {"commitId": MERGED, "comment": TRAILER},
        "closedDate": "2026-11-20T05:00:00Z",
    }
    said = fact(bodies.updated("Pointsman completed pull request 5 (x)", **more))
    assert (said.draft.type, said.draft.actor, said.trace_id) == ("ChangeMerged", BOT, "trace-1")
    data = said.draft.data
    assert (data["mergeSha"], data["mergedBy"], data["head"]) == (MERGED, BOT, HEAD)
    assert (data["tree"], data["headTree"]) == ("", "")


def test_who_merged_must_be_known_for_a_trailer_to_be_told() -> None:
    more = {
        "status": "completed",
        "lastMergeCommit": {"commitId": MERGED},
        "completionOptions": {"mergeCommitMessage": TRAILER},
    }
    assert fact(bodies.updated("Jane Doe completed pull request 5", **more)).trace_id is None
    assert fact(bodies.updated("", closedBy=bodies.JANE, **more)).trace_id == "trace-1"


@pytest.mark.parametrize(
    ("vote", "text", "state"),
    [
        (10, "Jane Doe approved pull request 5 (x)", "approved"),
        (5, "Jane Doe has approved and left suggestions in pull request 5 (x)", "approved"),
        (-5, "Jane Doe is waiting for the author in pull request 5 (x)", "changes_requested"),
        (-10, "Jane Doe rejected pull request 5 (x)", "changes_requested"),
    ],
)
def test_a_vote_is_a_review_of_the_head(vote: int, text: str, state: str) -> None:
    others = [bodies.voter(10, bodies.BOT), bodies.voter(0, bodies.BUILDER)]
    (told,) = facts(bodies.updated(text, reviewers=[*others, bodies.voter(vote)]), VOTE)
    said = told.draft
    assert said.type == "ReviewSubmitted"
    assert said.actor == said.data["author"] == "jane@acme.example"
    assert (said.data["state"], said.data["revision"], said.data["reviewId"]) == (state, HEAD, "5/id-jane")
    assert said.data["submittedAt"] == "2026-11-20T04:05:06.789Z"


def test_an_approval_is_told_only_where_it_is_certain_that_somebody_voted_now() -> None:
    """Her approval was of an earlier head; who pushes now has a name that sounds like another."""
    text = "Jane Doe approved pull request 5 (x) updated the source branch of pull request 5 (x) in booking"
    assert facts(bodies.updated(text, reviewers=[bodies.voter(10)])) == []
    assert facts(bodies.updated("Jane Doe approved pull request 5 (x)", reviewers=[bodies.voter(10)])) == []
    against = bodies.updated("Jane Doe rejected pull request 5 (x)", reviewers=[bodies.voter(-10)])
    assert draft(against).data["state"] == "changes_requested"


def test_a_vote_that_is_taken_back() -> None:
    said = draft(bodies.updated("Jane Doe reset the vote on pull request 5 (x)", reviewers=[bodies.voter(0)]))
    assert (said.type, said.data["author"], said.data["dismissedBy"]) == (
        "ReviewDismissed",
        "jane@acme.example",
        "jane@acme.example",
    )


def test_a_vote_of_nobody_known_tells_no_vote_for_the_change_that_may_be_one_for_an_earlier_head() -> None:
    reviewers = [
        bodies.voter(10),
        bodies.voter(-10, bodies.BUILDER),
        bodies.voter(-10, isContainer=True, displayName="[demo]\\Team"),
    ]
    # Anybody may be called so: "updated" is what was done, "approved" is a part of the name.
    for text in ("Somebody else voted on", "Mallory approved updated", "Jane Doe approved"):
        twin = bodies.voter(0, bodies.JANE | {"id": "id-twin", "uniqueName": "mallory@acme.example"})
        found = facts(bodies.updated(f"{text} pull request 5 (x)", reviewers=[*reviewers, twin]))
        assert [(one.draft.data["author"], one.draft.data["state"]) for one in found] == [
            ("build\\1234", "changes_requested")
        ]


def test_a_subscription_to_one_kind_of_update_knows_what_was_updated() -> None:
    voted = bodies.updated(
        "Jane Doe hat abgestimmt", reviewers=[bodies.voter(10), bodies.voter(0, bodies.BUILDER)]
    )
    told = {kind: [one.draft.type for one in facts(voted, kind)] for kind in KINDS}
    assert told == {
        "PushNotification": ["ChangeUpdated"],
        "ReviewersUpdateNotification": ["ReviewRequested"],
        "StatusUpdateNotification": ["ChangeUpdated"],
        "ReviewerVoteNotification": ["ReviewSubmitted"],
    }
    misleading = bodies.updated("Jane Doe approved pull request 5 (x)", reviewers=[bodies.voter(10)])
    assert [one.draft.type for one in facts(misleading, "PushNotification")] == ["ChangeUpdated"]
    assert facts(misleading, "anything else") == []


def test_whose_review_is_wanted() -> None:
    team = {
        "id": "t",
        "displayName": "[demo]\\Release managers",
        "uniqueName": "vstfs:///x",
        "isContainer": True,
        "vote": 0,
    }
    reviewers = [bodies.voter(0), bodies.voter(10, bodies.BUILDER), team]
    said = draft(
        bodies.updated("Jane Doe changed the reviewer list on pull request 5 (x)", reviewers=reviewers)
    )
    assert said.type == "ReviewRequested"
    assert (said.data["reviewers"], said.data["teams"]) == (["jane@acme.example"], ["demo/Release managers"])
    assert types(bodies.updated("Jane Doe changed the reviewer list on pull request 5 (x)")) == []


def test_a_comment() -> None:
    said = fact(bodies.comment())
    assert (said.draft.type, said.draft.actor) == ("CommentCreated", "jane@acme.example")
    assert said.hints[0] == "azure:demo/booking#5"
    assert said.draft.data == {
        "repository": "demo/booking",
        "change": 5,
        "on": "change",
        "commentId": "9.2",
        "author": "jane@acme.example",
        "authorIsBot": False,
        "body": "/approve-release production",
        "createdAt": "2026-11-20T04:05:06.780Z",
        "url": "https://dev.azure.com/acme/demo/_git/booking/pullrequest/5?discussionId=9",
    }


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"lastContentUpdatedDate": "2026-11-20T04:05:07Z"}, ["CommentEdited"]),
        ({"isDeleted": True, "content": None}, ["CommentDeleted"]),
        ({"commentType": "system"}, []),
        ({"lastContentUpdatedDate": None}, ["CommentEdited"]),
        ({"author": bodies.BOT}, ["CommentCreated"]),
        ({"author": bodies.BOT, "lastContentUpdatedDate": "2026-11-20T04:05:07Z"}, []),
        ({"author": bodies.BOT, "isDeleted": True}, []),
    ],
)
def test_what_became_of_a_comment(more: dict[str, object], told: list[str]) -> None:
    assert types(bodies.comment(**more)) == told


def test_a_comment_without_dates_is_new_when_the_forge_says_so() -> None:
    assert types(bodies.comment("Jane Doe has commented on a pull request", lastContentUpdatedDate=None)) == [
        "CommentCreated"
    ]
    assert types(
        bodies.comment("Jane Doe has edited a pull request comment", lastContentUpdatedDate=None)
    ) == ["CommentEdited"]


@pytest.mark.parametrize(
    ("author", "bot"), [(bodies.JANE, False), (bodies.BOT, True), (bodies.BUILDER, True)]
)
def test_machines_are_known(author: dict[str, str], bot: bool) -> None:
    assert draft(bodies.comment(author=author)).data["authorIsBot"] is bot


def test_a_comment_on_a_work_item_is_no_changes() -> None:
    fields = {
        "System.TeamProject": "demo",
        "System.ChangedBy": "Jane <Jane@Acme.example>",
        "System.History": "hello",
    }
    said = fact(bodies.body("workitem.commented", {"id": 12, "rev": 4, "fields": fields, "url": "u"}))
    assert (said.draft.type, said.draft.actor, said.hints, said.new_trace) == (
        "CommentCreated",
        "jane@acme.example",
        (),
        False,
    )
    assert (said.repository, said.draft.data["on"], said.draft.data["change"]) == ("demo", "issue", 12)


def test_a_repository_gets_another_name() -> None:
    about = {"id": "r", "oldName": "old", "newName": "new", "project": {"name": "demo"}}
    for kind in ("git.repo.renamed", "git.repository.renamed"):
        said = draft(bodies.body(kind, {"repository": about}))
        assert said.data == {"repository": "demo/new", "previous": "demo/old"}


@pytest.mark.parametrize(
    ("unique", "login"),
    [
        ("Jane@Acme.example", "jane@acme.example"),
        ("Windows Live ID\\jane@live.com", "jane@live.com"),
        ("ACME\\Jane", "acme\\jane"),
        ("POINTSMAN@acme.example", BOT),
        (BOT, ""),
        (None, ""),
    ],
)
def test_what_people_are_called(unique: str | None, login: str) -> None:
    assert bodies.PEOPLE.login(unique) == login


def test_without_an_account_nobody_is_the_bot() -> None:
    assert People().login("") == ""
    assert (
        normalise({}, bodies.push(("refs/heads/main", BASE, HEAD), by=bodies.BOT), People())[0].draft.actor
        == "pointsman@acme.example"
    )


@pytest.mark.parametrize(
    "said", [b"", b"{", b"[]", b'{"resource": {}}', bodies.push(("refs/heads/x", BASE, HEAD))[:-30]]
)
def test_what_cannot_be_read_is_invalid(said: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        facts(said)
    assert refused.value.reason_code == "UnreadableDelivery"
    assert refused.value.message.startswith("not a delivery of Azure DevOps: ")


@pytest.mark.parametrize(
    "kind", ["tfvc.checkin", "workitem.updated", "message.posted", "git.pullrequest.approved", "new.one"]
)
def test_what_nobody_asked_about_is_nothing(kind: str) -> None:
    assert facts(bodies.body(kind, {"anything": 1})) == []


SAMPLES = [
    bodies.push(("refs/heads/x", BASE, HEAD), commits=((HEAD, "x"),)),
    bodies.body("git.pullrequest.created", bodies.change(reviewers=[bodies.voter(0)])),
    bodies.updated("Jane Doe approved pull request 5", reviewers=[bodies.voter(10)]),
    bodies.comment(),
]
JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.just({})
)


@given(st.data())
def test_a_body_with_anything_anywhere_is_read_or_invalid(data: st.DataObject) -> None:
    said = json.loads(data.draw(st.sampled_from(SAMPLES)))
    where: object = said
    while isinstance(where, dict) and where:
        key = data.draw(st.sampled_from(sorted(where)))
        inner = where[key]
        if not isinstance(inner, dict) or not inner or data.draw(st.booleans()):
            where[key] = data.draw(JUNK)
            break
        where = inner
    try:
        facts(json.dumps(said).encode())
    except Invalid:
        return
