"""What GitHub's webhooks say in our words."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from bot.domain.catalog import CATALOG
from bot.domain.errors import Invalid
from bot.forges.github.normalise import normalise
from bot.forges.port import RepositoryFact
from bot.messages import BOT
from tests.support.corpora import recorded

US = "acme-pointsman[bot]"
HERE = {"id": 1, "full_name": "acme/booking", "default_branch": "main"}
JANE = {"login": "jane", "type": "User"}
BASE, HEAD, MERGE = "a" * 40, "b" * 40, "c" * 40
BRANCH, KEY = "github:acme/booking@feature/x", f"github:acme/booking={HEAD}"
PULL: dict[str, Any] = {
    "number": 7,
    "title": "feat: add",
    "html_url": "https://github.com/acme/booking/pull/7",
    "user": {"login": US, "type": "Bot"},
    "head": {"ref": "feature/x", "sha": HEAD, "repo": {"id": 1}, "user": {"login": "acme"}},
    "base": {"ref": "main", "sha": BASE, "repo": {"id": 1}},
    "labels": [{"name": "b"}, {"name": "a"}],
    "draft": False,
    "merged": False,
}
COMMENT = {
    "id": 3,
    "user": JANE,
    "body": "/approve-release production",
    "created_at": "2026-11-20T04:05:06Z",
    "html_url": "https://github.com/acme/booking/pull/7#issuecomment-3",
}
RECORDED = recorded("octokit-webhooks-examples")


def told(event: str, sender: dict[str, str] = JANE, **said: Any) -> list[RepositoryFact]:
    body = {"repository": HERE, "sender": sender} | said
    return normalise(US, {"X-GitHub-Event": event}, json.dumps(body).encode())


def one(event: str, sender: dict[str, str] = JANE, **said: Any) -> RepositoryFact:
    (fact,) = told(event, sender, **said)
    return fact


def test_every_recorded_call_is_understood_or_left_alone() -> None:
    seen: Counter[str] = Counter()
    for path in RECORDED:
        for fact in normalise(US, {"x-github-event": path.parent.name}, path.read_bytes()):
            CATALOG[fact.draft.type].payload.model_validate(fact.draft.data)
            seen[fact.draft.type] += 1
    if RECORDED:
        assert set(seen) == {
            "ChangeClosed",
            "ChangeLabelled",
            "ChangeOpened",
            "ChangeReopened",
            "ChangeUpdated",
            "CheckActionRequested",
            "CheckRequested",
            "CommentCreated",
            "CommentDeleted",
            "CommentEdited",
            "InstallationChanged",
            "MembershipChanged",
            "MergeGroupRequested",
            "PipelineFinished",
            "Pushed",
            "RepositoryRenamed",
            "ReviewDismissed",
            "ReviewRequested",
            "ReviewSubmitted",
            "StatusReported",
            "TagPushed",
            "pointsman.ReleaseNoted",
        }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_fields_nobody_reads_may_change_as_they_like(path: Any) -> None:
    """Whatever is not an object with the names we read may be missing or new."""
    event, said = path.parent.name, json.loads(path.read_bytes())
    before = normalise(US, {"x-github-event": event}, json.dumps(said).encode())
    said |= {"unheard_of": {"of": [1, None]}, "enterprise": None}
    for part in [value for value in said.values() if isinstance(value, dict)]:
        part["unheard_of"] = ["x"]
        part.pop("node_id", None)
        part.pop("url", None)
    assert normalise(US, {"x-github-event": event}, json.dumps(said).encode()) == before


def push(**more: Any) -> dict[str, Any]:
    commit = {
        "id": HEAD,
        "message": "feat: add\n\nTrace-Id: trace-1",
        "added": ["b.py"],
        "modified": ["a.py"],
        "removed": [],
    }
    said = {
        "ref": "refs/heads/feature/x",
        "before": BASE,
        "after": HEAD,
        "commits": [commit],
        "head_commit": commit,
        "forced": False,
    }
    return said | more


def test_a_push() -> None:
    fact = one("push", **push())
    assert (fact.draft.type, fact.draft.actor, fact.draft.subject) == ("Pushed", "jane", BRANCH)
    assert fact.draft.data == {
        "repository": "acme/booking",
        "branch": "feature/x",
        "before": BASE,
        "after": HEAD,
        "pusher": "jane",
        "defaultBranch": "main",
        "messages": ["feat: add\n\nTrace-Id: trace-1"],
        "paths": ["a.py", "b.py"],
        "forced": False,
        "cut": False,
    }
    assert (fact.hints, fact.trace_id, fact.new_trace) == ((BRANCH, KEY), "trace-1", True)


def test_a_forced_push_to_the_default_branch() -> None:
    fact = one("push", **push(ref="refs/heads/main", forced=True))
    assert fact.draft.data["forced"] is True
    assert fact.hints == (KEY,)


def test_a_push_so_large_that_it_is_not_told_whole() -> None:
    commit = push()["head_commit"]
    assert one("push", **push(commits=[commit] * 2048)).draft.data["cut"] is True


def test_a_branch_deleted() -> None:
    fact = one("push", **push(after="0" * 40, before=HEAD, deleted=True, head_commit=None, commits=[]))
    assert fact.draft.type == "BranchDeleted"
    assert fact.draft.data["before"] == HEAD
    assert (fact.hints, fact.new_trace) == ((BRANCH, KEY), False)


def test_tags_lead_by_the_commit_they_are_on() -> None:
    made = one("push", **push(ref="refs/tags/v1", before="0" * 40, after="d" * 40))
    assert (made.draft.type, made.draft.data["tag"], made.draft.data["after"]) == (
        "TagPushed",
        "v1",
        "d" * 40,
    )
    assert made.hints == (KEY,)
    gone = one("push", **push(ref="refs/tags/v1", before=HEAD, after="0" * 40, head_commit=None, commits=[]))
    assert (gone.draft.data["after"], gone.hints) == ("0" * 40, (KEY,))


@pytest.mark.parametrize(
    ("action", "type_"),
    [
        ("opened", "ChangeOpened"),
        ("synchronize", "ChangeUpdated"),
        ("edited", "ChangeUpdated"),
        ("converted_to_draft", "ChangeUpdated"),
        ("ready_for_review", "ChangeUpdated"),
        ("reopened", "ChangeReopened"),
        ("labeled", "ChangeLabelled"),
        ("unlabeled", "ChangeLabelled"),
        ("closed", "ChangeClosed"),
    ],
)
def test_what_happens_to_a_change(action: str, type_: str) -> None:
    fact = one("pull_request", action=action, pull_request=PULL)
    assert (fact.draft.type, fact.draft.actor, fact.new_trace) == (type_, "jane", True)
    assert fact.hints == ("github:acme/booking#7", BRANCH, KEY)
    expected = {
        "repository": "acme/booking",
        "number": 7,
        "title": "feat: add",
        "url": "https://github.com/acme/booking/pull/7",
        "author": BOT,
        "source": "feature/x",
        "target": "main",
        "head": HEAD,
        "labels": ["a", "b"],
        "draft": False,
        "fork": False,
    }
    # Committers are not in the call. An empty list would make a trace forget those it knows.
    assert fact.draft.data == expected | ({"lastPusher": "jane"} if action == "synchronize" else {})


def test_a_change_merged() -> None:
    merged = PULL | {"merged": True, "merge_commit_sha": MERGE, "merged_by": {"login": US}}
    fact = one("pull_request", {"login": US.upper(), "type": "Bot"}, action="closed", pull_request=merged)
    assert (fact.draft.type, fact.draft.actor) == ("ChangeMerged", BOT)
    assert (fact.draft.data["mergeSha"], fact.draft.data["mergedBy"]) == (MERGE, BOT)


@pytest.mark.parametrize("action", ["assigned", "locked", "auto_merge_enabled", "milestoned", "unheard_of"])
def test_what_is_no_news_of_a_change(action: str) -> None:
    assert told("pull_request", action=action, pull_request=PULL) == []


def test_the_bots_own_edits_are_not_told_again() -> None:
    us = {"login": US, "type": "Bot"}
    for action in ("edited", "labeled", "unlabeled"):
        assert told("pull_request", us, action=action, pull_request=PULL) == []
    issue = {"number": 7, "pull_request": {}}
    assert told("issue_comment", us, action="edited", issue=issue, comment=COMMENT) == []
    assert told("status", us, sha=HEAD, context="pointsman/pipeline", state="success") == []
    assert told("deployment", us, deployment={"environment": "staging", "sha": HEAD}) == []
    assert told("release", us, action="published", release={"tag_name": "v1"}) == []


def test_a_fork_cannot_take_a_branch_of_ours_by_its_name() -> None:
    fork = deepcopy(PULL)
    fork["head"] |= {"repo": {"id": 2}, "user": {"login": "mallory"}}
    fact = one("pull_request", action="opened", pull_request=fork)
    assert (fact.draft.data["fork"], fact.draft.data["source"]) == (True, "mallory:feature/x")
    assert BRANCH not in fact.hints
    fork["head"] |= {"repo": None, "user": None}  # deleted since
    assert one("pull_request", action="closed", pull_request=fork).draft.data["source"] == "ghost:feature/x"


def test_nobody_is_taken_for_the_bot_by_having_its_name_elsewhere() -> None:
    stranger = {"login": "Pointsman[bot]", "type": "Bot"}
    fact = one("pull_request", stranger, action="closed", pull_request=PULL | {"user": stranger})
    assert (fact.draft.actor, fact.draft.data["author"]) == ("other:Pointsman[bot]", "other:Pointsman[bot]")


def test_comments_on_changes_issues_and_threads() -> None:
    on_change = one(
        "issue_comment", action="created", issue={"number": 7, "pull_request": {}}, comment=COMMENT
    )
    assert on_change.draft.type == "CommentCreated"
    assert on_change.draft.data == {
        "repository": "acme/booking",
        "change": 7,
        "on": "change",
        "commentId": "3",
        "author": "jane",
        "authorIsBot": False,
        "body": "/approve-release production",
        "createdAt": "2026-11-20T04:05:06.000Z",
        "url": "https://github.com/acme/booking/pull/7#issuecomment-3",
    }
    assert (on_change.hints, on_change.new_trace) == (("github:acme/booking#7",), True)
    on_issue = one("issue_comment", action="deleted", issue={"number": 8}, comment=COMMENT)
    assert (on_issue.draft.type, on_issue.draft.data["on"], on_issue.draft.data["change"]) == (
        "CommentDeleted",
        "issue",
        8,
    )
    assert (on_issue.hints, on_issue.new_trace) == ((), False)
    thread = one("pull_request_review_comment", action="edited", pull_request=PULL, comment=COMMENT)
    assert (thread.draft.type, thread.draft.data["commentId"]) == ("CommentEdited", "thread:3")
    assert (thread.draft.data["on"], thread.hints) == ("thread", ("github:acme/booking#7", BRANCH, KEY))


def test_any_bot_is_known_as_one() -> None:
    for user in ({"login": "ci[bot]", "type": "Bot"}, {"login": US, "type": "User"}):
        said = one("issue_comment", action="created", issue={"number": 7}, comment=COMMENT | {"user": user})
        assert said.draft.data["authorIsBot"] is True


def test_reviews() -> None:
    given = {
        "id": 5,
        "user": JANE,
        "state": "APPROVED",
        "commit_id": HEAD,
        "body": None,
        "submitted_at": "2026-11-20T04:05:06Z",
    }
    fact = one("pull_request_review", action="submitted", review=given, pull_request=PULL)
    assert (fact.draft.type, fact.draft.data["state"], fact.draft.data["revision"]) == (
        "ReviewSubmitted",
        "approved",
        HEAD,
    )
    gone = one(
        "pull_request_review",
        {"login": "sam"},
        action="dismissed",
        review=given | {"state": "dismissed"},
        pull_request=PULL,
    )
    assert gone.draft.type == "ReviewDismissed"
    assert gone.draft.data == {
        "repository": "acme/booking", "change": 7, "reviewId": "5", "author": "jane", "dismissedBy": "sam", "revision": HEAD
    }  # fmt: skip
    assert told("pull_request_review", action="edited", review=given, pull_request=PULL) == []
    wanted = PULL | {"requested_reviewers": [JANE, {"login": US}], "requested_teams": [{"slug": "release"}]}
    asked = one("pull_request", action="review_requested", pull_request=wanted)
    assert asked.draft.data == {
        "repository": "acme/booking",
        "change": 7,
        "reviewers": ["jane", BOT],
        "teams": ["release"],
    }


def check(app: str = "lint", **more: Any) -> dict[str, Any]:
    pulls = [{"number": 7, "base": {"repo": {"id": 1}}}, {"number": 9, "base": {"repo": {"id": 2}}}]
    said = {
        "name": "lint",
        "head_sha": HEAD,
        "conclusion": "failure",
        "app": {"slug": app},
        "html_url": "https://x/1",
    }
    return (
        said
        | {
            "check_suite": {"head_branch": "feature/x", "pull_requests": pulls},
            "output": {"title": "3 errors"},
        }
        | more
    )


def test_checks() -> None:
    done = one("check_run", action="completed", check_run=check())
    assert done.draft.type == "StatusReported"
    assert done.draft.data == {
        "repository": "acme/booking",
        "revision": HEAD,
        "name": "lint",
        "state": "failure",
        "description": "3 errors",
        "url": "https://x/1",
    }
    assert done.hints == ("github:acme/booking#7", KEY)
    again = one(
        "check_run",
        action="rerequested",
        check_run=check("acme-pointsman", name="pointsman/release: production"),
    )
    assert (again.draft.type, again.draft.data["name"]) == ("CheckRequested", "pointsman/release: production")
    assert (again.draft.data["changes"], again.draft.data["branch"]) == ([7], "feature/x")
    pressed = one(
        "check_run",
        action="requested_action",
        check_run=check("acme-pointsman"),
        requested_action={"identifier": "explain"},
    )
    assert (pressed.draft.type, pressed.draft.data["action"]) == ("CheckActionRequested", "explain")
    for app in ("acme-pointsman", "github-actions"):
        assert told("check_run", action="completed", check_run=check(app)) == []


def test_check_suites() -> None:
    suite = {
        "head_sha": HEAD,
        "head_branch": "feature/x",
        "conclusion": "success",
        "app": {"slug": "lint"},
        "pull_requests": [],
    }
    asked = one("check_suite", action="requested", check_suite=suite)
    assert (asked.draft.type, asked.draft.data["name"], asked.draft.data["branch"]) == (
        "CheckRequested",
        "",
        "feature/x",
    )
    done = one("check_suite", action="completed", check_suite=suite)
    assert (done.draft.data["name"], done.draft.data["state"]) == ("suite/lint", "success")
    assert (
        told("check_suite", action="completed", check_suite=suite | {"app": {"slug": "acme-pointsman"}}) == []
    )


def run(**more: Any) -> dict[str, Any]:
    said = {
        "id": 42,
        "head_sha": HEAD,
        "head_branch": "feature/x",
        "path": ".github/workflows/pointsman.yml@main",
        "conclusion": "timed_out",
        "html_url": "https://x/42",
        "pull_requests": [{"number": 7, "base": {"repo": {"id": 1}}}],
        "head_commit": {"message": "feat: add [trace:trace-1]"},
        "repository": {"id": 1},
        "head_repository": {"id": 1},
    }
    return said | more


def test_a_run_tells_its_outcome_alone() -> None:
    fact = one("workflow_run", action="completed", workflow_run=run())
    assert fact.draft.type == "PipelineFinished"
    assert fact.draft.data == {
        "repository": "acme/booking",
        "revision": HEAD,
        "branch": "feature/x",
        "pipelineId": "42",
        "path": ".github/workflows/pointsman.yml",
        "told": "outcome",
        "status": "failed",
        "reason": "timed_out",
        "url": "https://x/42",
        "jobs": [],
    }
    assert (fact.hints, fact.trace_id) == (("github:acme/booking#7", BRANCH, KEY), "trace-1")


@pytest.mark.parametrize(
    ("conclusion", "status"),
    [
        ("success", "success"),
        ("neutral", "success"),
        ("failure", "failed"),
        ("startup_failure", "failed"),
        ("cancelled", "canceled"),
    ],
)
def test_how_a_run_can_end(conclusion: str, status: str) -> None:
    fact = one("workflow_run", action="completed", workflow_run=run(conclusion=conclusion))
    assert fact.draft.data["status"] == status


@pytest.mark.parametrize("conclusion", ["skipped", "action_required", "stale", None])
def test_a_run_that_says_nothing(conclusion: str | None) -> None:
    assert told("workflow_run", action="completed", workflow_run=run(conclusion=conclusion)) == []


def test_a_run_of_a_fork_has_no_branch_of_ours() -> None:
    fork = run(head_repository={"id": 2, "owner": {"login": "mallory"}}, pull_requests=[])
    fact = one("workflow_run", action="completed", workflow_run=fork)
    assert (fact.draft.data["branch"], BRANCH in fact.hints) == ("mallory:feature/x", False)


def test_jobs_and_deployments_are_reported() -> None:
    job = {
        "name": "test",
        "workflow_name": "CI",
        "head_sha": HEAD,
        "conclusion": "success",
        "html_url": "https://x/j",
    }
    assert one("workflow_job", action="completed", workflow_job=job).draft.data["name"] == "CI / test"
    assert told("workflow_job", action="queued", workflow_job=job) == []
    made = {"environment": "staging", "sha": HEAD, "description": "by hand"}
    begun = one("deployment", action="created", deployment=made)
    assert (begun.draft.data["name"], begun.draft.data["state"]) == ("deployment/staging", "pending")
    ended = one(
        "deployment_status",
        deployment=made,
        deployment_status={"state": "failure", "environment_url": "https://s"},
    )
    assert (ended.draft.data["state"], ended.draft.data["url"]) == ("failure", "https://s")


def test_a_deployment_that_waits_for_the_bot() -> None:
    callback = "https://api.github.com/repos/acme/booking/actions/runs/42/deployment_protection_rule"
    fact = one(
        "deployment_protection_rule",
        action="requested",
        environment="production",
        deployment={"id": 9, "sha": HEAD},
        deployment_callback_url=callback,
        pull_requests=[{"number": 7}],
    )
    assert fact.draft.type == "DeploymentRequested"
    assert fact.draft.data == {
        "repository": "acme/booking",
        "environment": "production",
        "revision": HEAD,
        "deploymentId": "9",
        "runId": "42",
        "url": callback,
    }
    assert fact.hints == ("github:acme/booking#7", KEY)


def test_a_merge_queue() -> None:
    group = {
        "head_sha": HEAD,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}",
        "base_sha": BASE,
        "base_ref": "refs/heads/main",
    }
    fact = one("merge_group", action="checks_requested", merge_group=group)
    assert fact.draft.data == {
        "repository": "acme/booking",
        "revision": HEAD,
        "target": "main",
        "base": BASE,
        "branch": f"gh-readonly-queue/main/pr-7-{BASE}",
        "changes": [7],
    }
    assert fact.hints == ("github:acme/booking#7",)
    assert told("merge_group", action="destroyed", merge_group=group) == []


def test_installations() -> None:
    about = {"id": 1, "account": {"login": "acme"}}
    names = [{"full_name": "acme/booking"}]
    made = one("installation", action="created", installation=about, repositories=names)
    assert made.draft.data == {
        "account": "acme",
        "action": "created",
        "installationId": "1",
        "added": ["acme/booking"],
        "removed": [],
    }
    fewer = one(
        "installation_repositories",
        action="removed",
        installation=about,
        repositories_added=[],
        repositories_removed=names,
    )
    assert (fewer.draft.data["action"], fewer.draft.data["removed"]) == ("changed", ["acme/booking"])
    assert told("installation", action="unheard_of", installation=about) == []


def test_memberships() -> None:
    org = {"login": "acme"}
    assert one("member", action="edited", member=JANE).draft.data == {
        "scope": "repository", "member": "jane", "action": "changed", "repository": "acme/booking"
    }  # fmt: skip
    team = one("membership", action="removed", member=JANE, team={"slug": "release"}, organization=org)
    assert (team.draft.data["scope"], team.draft.data["action"]) == ("acme/release", "removed")
    joined = one("organization", action="member_added", membership={"user": JANE}, organization=org)
    assert (joined.draft.data["scope"], joined.draft.data["action"]) == ("acme", "added")


def test_a_repository_of_another_name() -> None:
    renamed = one("repository", action="renamed", changes={"repository": {"name": {"from": "reservations"}}})
    assert renamed.draft.data == {"repository": "acme/booking", "previous": "acme/reservations"}
    moved = one(
        "repository", action="transferred", changes={"owner": {"from": {"organization": {"login": "old"}}}}
    )
    assert moved.draft.data["previous"] == "old/booking"


def test_release_notes() -> None:
    note = {"tag_name": "v1", "name": None, "html_url": "https://x/v1"}
    assert one("release", action="unpublished", release=note).draft.data == {
        "repository": "acme/booking", "tag": "v1", "action": "deleted", "title": "", "url": "https://x/v1"
    }  # fmt: skip
    assert told("release", action="created", release=note) == []


@pytest.mark.parametrize(
    ("event", "body", "reason"),
    [
        ("push", b"{", "not a push of GitHub: "),
        ("push", b"[]", "not a push of GitHub: "),
        ("pull_request", b'{"action":"opened"}', "not a pull_request of GitHub: KeyError('pull_request')"),
        (
            "push",
            b'{"ref":"refs/heads/x","before":1,"after":"2"}',
            "not a push of GitHub: Input should be a valid string",
        ),
    ],
)
def test_what_cannot_be_read_is_said(event: str, body: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as unreadable:
        normalise(US, {"x-github-event": event}, body)
    assert unreadable.value.message.startswith(reason)
    assert unreadable.value.reason_code == "UnreadableDelivery"


def test_an_event_nobody_knows_is_nothing() -> None:
    assert told("unheard_of", anything=[1]) == []
    assert normalise(US, {}, b"{}") == []
