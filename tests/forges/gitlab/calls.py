"""Calls of GitLab, as small as they can be, and what they say in our words."""

from __future__ import annotations

import json
from typing import Any

from bot.domain.catalog import CATALOG
from bot.forges.gitlab.normalise import normalise
from bot.forges.port import RepositoryFact

Json = dict[str, Any]
LOGIN = "release-bot"
A, B, ZERO = "a" * 40, "b" * 40, "0" * 40
PROJECT = {
    "id": 7,
    "path_with_namespace": "acme/booking",
    "default_branch": "main",
    "web_url": "https://gitlab.test/acme/booking",
}
JANE = {"id": 4, "username": "jane", "name": "Jane"}
US = {"id": 9, "username": LOGIN, "name": "Bot"}
CHANGE = "gitlab:acme/booking#3"
BRANCH = "gitlab:acme/booking@feature/x"


def told(said: Json, login: str = LOGIN) -> list[RepositoryFact]:
    facts = normalise(json.dumps(said).encode(), login)
    for fact in facts:
        CATALOG[fact.draft.type].payload.model_validate(fact.draft.data)
    return facts


def one(said: Json) -> RepositoryFact:
    (fact,) = told(said)
    return fact


def push(**more: Any) -> Json:
    commit = {
        "id": B,
        "message": "feat: x\n\nTrace-Id: trace-1\n",
        "added": ["a.py"],
        "modified": ["b.py"],
        "removed": ["c.py"],
    }
    return {
        "object_kind": "push", "ref": "refs/heads/feature/x", "before": A, "after": B, "user_username": "jane",
        "project": PROJECT, "commits": [commit], "total_commits_count": 1,
    } | more  # fmt: skip


def merge_request(
    action: str, user: Json = JANE, *, changes: Json | None = None, labels: tuple[str, ...] = (), **more: Any
) -> Json:
    return {
        "object_kind": "merge_request", "user": user, "project": PROJECT, "labels": [{"title": label} for label in labels],
        "changes": changes or {},
        "object_attributes": {
            "iid": 3, "title": "feat: x", "url": "https://gitlab.test/acme/booking/-/merge_requests/3", "source_branch": "feature/x",
            "target_branch": "main", "source_project_id": 7, "target_project_id": 7, "author_id": 4, "draft": False,
            "last_commit": {"id": B, "message": "feat: x\n\nTrace-Id: trace-1"}, "updated_at": "2026-11-20 08:00:00 UTC",
            "merge_commit_sha": None, "action": action,
        } | more,
    }  # fmt: skip


def note(action: str = "create", user: Json = JANE, **more: Any) -> Json:
    attributes = {
        "id": 21, "note": "/help", "noteable_type": "MergeRequest", "created_at": "2026-11-20 08:00:00 UTC", "system": False,
        "action": action, "url": "https://gitlab.test/n", "type": None,
    } | more  # fmt: skip
    change = merge_request("x")["object_attributes"]
    return {
        "object_kind": "note",
        "user": user,
        "project": PROJECT,
        "object_attributes": attributes,
        "merge_request": change,
    }


def pipeline(status: str = "success", **more: Any) -> Json:
    attributes = {
        "id": 31,
        "ref": "feature/x",
        "tag": False,
        "sha": B,
        "status": status,
        "source": "push",
    } | more
    return {
        "object_kind": "pipeline", "user": JANE, "project": PROJECT, "object_attributes": attributes, "merge_request": None,
        "commit": {"message": "feat: x\n\nTrace-Id: trace-1"}, "builds": [],
    }  # fmt: skip


def job(status: str, **more: Any) -> Json:
    return {
        "object_kind": "build", "sha": B, "build_name": "test", "build_status": status, "build_failure_reason": "script_failure",
        "pipeline_id": 31, "user": JANE, "repository": {"homepage": "https://gitlab.test/acme/booking"},
    } | more  # fmt: skip


def deployment(status: str, user: Json = JANE) -> Json:
    return {
        "object_kind": "deployment", "status": status, "deployment_id": 15, "environment": "staging", "user": user, "project": PROJECT,
        "deployable_url": "https://gitlab.test/j/1", "commit_url": f"https://gitlab.test/acme/booking/-/commit/{B}",
    }  # fmt: skip
