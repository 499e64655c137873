"""Bodies of service hook calls, each named after the fact it states."""

from __future__ import annotations

import json
from typing import Any

from bot.domain.event import Draft
from bot.forges.azure.names import People
from bot.forges.azure.normalise import normalise
from bot.forges.port import RepositoryFact

Json = dict[str, Any]
BOT_NAME = "Pointsman@Acme.example"
PEOPLE = People(BOT_NAME)
HEAD, BASE, MERGED = "a" * 40, "b" * 40, "c" * 40
REPOSITORY = {
    "id": "repo-1",
    "name": "booking",
    "defaultBranch": "refs/heads/main",
    "project": {"id": "project-1", "name": "demo"},
}
JANE = {
    "id": "id-jane",
    "displayName": "Jane Doe",
    "uniqueName": "Jane@Acme.example",
    "descriptor": "aad.jane",
}
BOT = {
    "id": "id-bot",
    "displayName": "Pointsman",
    "uniqueName": "pointsman@acme.example",
    "descriptor": "aad.bot",
}
BUILDER = {
    "id": "id-build",
    "displayName": "Build Service",
    "uniqueName": "Build\\1234",
    "descriptor": "svc.x",
}


def body(kind: str, resource: Json, text: str = "", **more: Any) -> bytes:
    said = {
        "subscriptionId": "sub-1",
        "notificationId": 7,
        "id": "event-1",
        "eventType": kind,
        "publisherId": "tfs",
        "message": {"text": text},
        "resource": resource,
        "createdDate": "2026-11-20T04:05:06.7891234Z",
    }
    return json.dumps(said | more).encode()


def push(*updates: tuple[str, str, str], by: Json = JANE, commits: tuple[tuple[str, str], ...] = ()) -> bytes:
    """`updates`: ref, old, new. `commits`: id and message, the newest first."""
    return body(
        "git.push",
        {
            "pushId": 14,
            "repository": REPOSITORY,
            "pushedBy": by,
            "refUpdates": [
                {"name": ref, "oldObjectId": old, "newObjectId": new} for ref, old, new in updates
            ],
            "commits": [{"commitId": sha, "comment": message} for sha, message in commits],
        },
    )


def change(**more: Any) -> Json:
    said = {
        "repository": {key: value for key, value in REPOSITORY.items() if key != "defaultBranch"},
        "pullRequestId": 5,
        "status": "active",
        "title": "feat: add booking",
        "createdBy": JANE,
        "sourceRefName": "refs/heads/feature/booking",
        "targetRefName": "refs/heads/main",
        "isDraft": False,
        "lastMergeSourceCommit": {"commitId": HEAD},
        "lastMergeTargetCommit": {"commitId": BASE},
        "reviewers": [],
        "_links": {"web": {"href": "https://dev.azure.com/acme/demo/_git/booking/pullrequest/5"}},
    }
    return said | more


def updated(text: str, **more: Any) -> bytes:
    return body("git.pullrequest.updated", change(**more), text)


def comment(text: str = "", *, about: Json | None = None, **more: Any) -> bytes:
    said = {
        "id": 2,
        "parentCommentId": 1,
        "author": JANE,
        "content": "/approve-release production",
        "publishedDate": "2026-11-20T04:05:06.78Z",
        "lastContentUpdatedDate": "2026-11-20T04:05:06.78Z",
        "commentType": "text",
        "_links": {
            "threads": {
                "href": "https://dev.azure.com/acme/_apis/git/repositories/repo-1/pullRequests/5/threads/9"
            }
        },
    }
    resource = {"comment": said | more, "pullRequest": about or change()}
    return body("ms.vss-code.git-pullrequest-comment-event", resource, text)


def voter(vote: int, who: Json = JANE, **more: Any) -> Json:
    return who | {"vote": vote} | more


def facts(said: bytes, about: str = "") -> list[RepositoryFact]:
    return normalise({"X-Pointsman-About": about} if about else {}, said, PEOPLE)


def fact(said: bytes) -> RepositoryFact:
    (found,) = facts(said)
    return found


def draft(said: bytes) -> Draft:
    return fact(said).draft


def types(said: bytes) -> list[str]:
    return [one.draft.type for one in facts(said)]
