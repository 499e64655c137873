"""Bodies of webhook calls, with the keys of the recorded ones (test_shapes.py compares them)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.forges.gitlab.fake.state import (
    Change,
    Deployment,
    Json,
    Note,
    Pipeline,
    Project,
    State,
    Status,
    User,
)

ENDED = {"success", "failed", "canceled"}


@dataclass(frozen=True)
class Moved:
    """A ref that was pushed, and the commits that came with it, oldest first."""

    ref: str
    before: str
    after: str
    commits: list[str]


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def user(one: User) -> Json:
    return {
        "id": one.id, "name": one.username.title(), "username": one.username,
        "avatar_url": None, "email": "[REDACTED]",
    }  # fmt: skip


def project(state: State, one: Project) -> Json:
    web = f"{state.url}/{one.path}"
    ssh = f"git@gitlab.test:{one.path}.git"
    return {
        "id": one.id, "name": one.path.rpartition("/")[2], "description": "", "web_url": web, "avatar_url": None,
        "git_ssh_url": ssh, "git_http_url": f"{web}.git", "namespace": one.path.rpartition("/")[0],
        "visibility_level": 0, "path_with_namespace": one.path, "default_branch": one.default_branch,
        "ci_config_path": one.ci_config_path, "homepage": web, "url": ssh, "ssh_url": ssh, "http_url": f"{web}.git",
    }  # fmt: skip


def repository(state: State, one: Project, *, urls: bool = False) -> Json:
    known = project(state, one)
    names = ["name", "url", "description", "homepage"]
    names += ["git_http_url", "git_ssh_url", "visibility_level"] if urls else []
    return {name: known[name] for name in names}


def commit(state: State, one: Project, sha: str, *, before: str | None = None) -> Json:
    known = one.repo.commit(sha)
    said = {
        "id": sha, "message": known["message"], "title": known["message"].partition("\n")[0],
        "timestamp": known["authored_date"], "url": f"{state.url}/{one.path}/-/commit/{sha}",
        "author": {"name": known["author_name"], "email": "[REDACTED]"},
    }  # fmt: skip
    if before is None:
        return said
    parent = known["parents"][0] if known["parents"] else None
    kinds: dict[str, list[str]] = {"added": [], "modified": [], "removed": []}
    diffs = one.repo.diff(parent, sha) if parent else []
    if parent is None:
        kinds["added"] = [
            entry["path"] for entry in one.repo.entries(sha, deep=True) or [] if entry["type"] == "blob"
        ]
    for diff in diffs:
        if diff["renamed_file"]:
            kinds["removed"].append(diff["old_path"])
        kind = (
            "removed"
            if diff["deleted_file"]
            else "added"
            if diff["new_file"] or diff["renamed_file"]
            else "modified"
        )
        kinds[kind].append(diff["new_path"])
    return said | kinds


def push(state: State, one: Project, by: User, moved: Moved) -> Json:
    ref, before, after, commits = moved.ref, moved.before, moved.after, moved.commits
    tag = ref.startswith("refs/tags/")
    kind = "tag_push" if tag else "push"
    known = one.repo.resolve(after) if set(after) != {"0"} else None
    listed = [commit(state, one, sha, before="") for sha in commits[-20:]]
    return {
        "object_kind": kind, "event_name": kind, "before": before, "after": after, "ref": ref,
        "ref_protected": ref.removeprefix("refs/heads/") in one.protected, "checkout_sha": known, "message": None,
        "user_id": by.id, "user_name": by.username.title(), "user_username": by.username, "user_email": "",
        "user_avatar": None, "project_id": one.id, "project": project(state, one), "commits": listed,
        "total_commits_count": len(commits), "push_options": {}, "repository": repository(state, one, urls=True),
    }  # fmt: skip


def labels(one: Project, names: list[str]) -> list[Json]:
    return [
        {
            "id": index, "title": name, "color": "#dc143c", "project_id": one.id, "created_at": "2026-01-01 00:00:00 UTC",
            "updated_at": "2026-01-01 00:00:00 UTC", "template": False, "description": None, "type": "ProjectLabel",
            "group_id": None,
        }
        for index, name in enumerate(sorted(names), 1)
    ]  # fmt: skip


def change_attributes(state: State, one: Project, change: Change) -> Json:
    known = project(state, one)
    return {
        "id": change.id, "iid": change.iid, "target_branch": change.target, "source_branch": change.source,
        "source_project_id": one.id, "target_project_id": one.id, "author_id": change.author.id, "assignee_id": None,
        "assignee_ids": [], "reviewer_ids": [reviewer.id for reviewer in change.reviewers], "title": change.title,
        "created_at": stamp(change.created_at), "updated_at": stamp(change.updated_at), "milestone_id": None,
        "state": change.state, "state_id": {"opened": 1, "closed": 2, "merged": 3, "locked": 4}[change.state],
        "blocking_discussions_resolved": True, "work_in_progress": change.draft, "draft": change.draft,
        "first_contribution": False, "merge_status": "unchecked", "detailed_merge_status": "unchecked",
        "description": change.description, "url": f"{state.url}/{one.path}/-/merge_requests/{change.iid}",
        "source": known, "target": known, "last_commit": commit(state, one, change.head), "last_edited_at": None,
        "last_edited_by_id": None, "head_pipeline_id": None, "merge_commit_sha": change.merge_commit, "merge_error": None,
        "merge_params": {"force_remove_source_branch": "0"}, "merge_user_id": change.merged_by.id if change.merged_by else None,
        "merge_when_pipeline_succeeds": False, "time_estimate": 0, "updated_by_id": None, "total_time_spent": 0,
        "time_change": 0, "human_total_time_spent": None, "human_time_change": None, "human_time_estimate": None,
        "labels": labels(one, change.labels),
    }  # fmt: skip


def merge_request(
    state: State,
    one: Project,
    by: User,
    change: Change,
    action: str,
    changes: Json | None = None,
    **more: Any,
) -> Json:
    reviewers = {"reviewers": [user(reviewer) for reviewer in change.reviewers]} if change.reviewers else {}
    return {
        "object_kind": "merge_request", "event_type": "merge_request", "user": user(by), "project": project(state, one),
        "object_attributes": change_attributes(state, one, change) | {"action": action} | more,
        "labels": labels(one, change.labels), "changes": changes or {}, "repository": repository(state, one),
    } | reviewers  # fmt: skip


def note(state: State, one: Project, change: Change, written: Note, action: str) -> Json:
    url = f"{state.url}/{one.path}/-/merge_requests/{change.iid}#note_{written.id}"
    dropped = {"action", "oldrev"}
    about = {key: value for key, value in change_attributes(state, one, change).items() if key not in dropped}
    return {
        "object_kind": "note", "event_type": "note", "user": user(written.author), "project_id": one.id,
        "project": project(state, one), "repository": repository(state, one),
        "object_attributes": {
            "id": written.id, "note": written.body, "description": written.body, "noteable_type": "MergeRequest",
            "author_id": written.author.id, "created_at": stamp(written.created_at), "updated_at": stamp(written.updated_at),
            "project_id": one.id, "attachment": None, "line_code": None, "commit_id": None, "noteable_id": change.id,
            "system": written.system, "st_diff": None, "action": action, "url": url, "type": written.type,
            "discussion_id": written.discussion, "change_position": None, "original_position": None, "position": None,
            "resolved_at": None, "resolved_by_id": None, "resolved_by_push": None, "updated_by_id": None,
            "internal": False,
        },
        "merge_request": about,
    }  # fmt: skip


def pipeline(state: State, one: Project, run: Pipeline, change: Change | None) -> Json:
    said: Json = {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": run.id, "iid": run.iid, "name": None, "ref": change.source if change and run.ref.startswith("refs/") else run.ref, "tag": False, "sha": run.sha,
            "before_sha": "0" * 40, "source": run.source, "status": run.status, "detailed_status": run.status,
            "stages": list(dict.fromkeys(job.stage for job in run.jobs)), "created_at": stamp(run.created_at),
            "finished_at": stamp(run.created_at) if run.status in ENDED else None, "duration": None,
            "queued_duration": None, "protected_ref": False, "variables": run.variables,
            "url": f"{state.url}/{one.path}/-/pipelines/{run.id}",
        },
        "merge_request": change and {
            "id": change.id, "iid": change.iid, "title": change.title, "source_branch": change.source,
            "source_project_id": one.id, "target_branch": change.target, "target_project_id": one.id,
            "state": change.state, "merge_status": "unchecked", "detailed_merge_status": "unchecked",
            "url": f"{state.url}/{one.path}/-/merge_requests/{change.iid}",
        },
        "user": user(run.user), "project": project(state, one), "commit": commit(state, one, run.sha),
        "builds": [_build(job) for job in run.jobs],
    }  # fmt: skip
    for backward in ("homepage", "url", "ssh_url", "http_url"):
        del said["project"][backward]
    return said


def _build(job: Status) -> Json:
    return {
        "id": job.id, "stage": job.stage, "name": job.name, "status": job.status, "created_at": stamp(job.created_at),
        "started_at": None, "finished_at": None, "duration": 1.5, "queued_duration": 0.1,
        "failure_reason": "script_failure" if job.status == "failed" else None, "when": "on_success", "manual": False,
        "allow_failure": job.allow_failure, "user": user(job.author), "runner": None,
        "artifacts_file": {"filename": None, "size": None}, "environment": None,
    }  # fmt: skip


def job(state: State, one: Project, run: Pipeline, built: Status) -> Json:
    known = one.repo.commit(run.sha)
    return {
        "object_kind": "build", "ref": run.ref, "tag": False, "before_sha": "0" * 40, "sha": run.sha, "build_id": built.id,
        "build_name": built.name, "build_stage": built.stage, "build_status": built.status,
        "build_created_at": stamp(built.created_at), "build_started_at": None, "build_finished_at": None,
        "build_duration": 1.5, "build_queued_duration": 0.1, "build_allow_failure": built.allow_failure,
        "build_failure_reason": "script_failure" if built.status == "failed" else "unknown_failure", "retries_count": 0,
        "pipeline_id": run.id, "project_id": one.id, "project_name": one.path.replace("/", " / "), "runner": None,
        "user": user(built.author),
        "commit": {
            "id": run.id, "name": None, "sha": run.sha, "message": known["message"], "author_name": known["author_name"],
            "author_email": "[REDACTED]", "author_url": None, "status": run.status, "duration": None, "started_at": None,
            "finished_at": None,
        },
        "repository": repository(state, one, urls=True), "environment": None,
    }  # fmt: skip


def deployment(state: State, one: Project, done: Deployment) -> Json:
    web = f"{state.url}/{one.path}"
    return {
        "object_kind": "deployment", "status": done.status, "status_changed_at": stamp(done.created_at),
        "deployment_id": done.id, "deployable_id": None, "deployable_url": None, "environment": done.environment,
        "environment_slug": done.environment, "environment_external_url": None, "project": project(state, one),
        "short_sha": done.sha[:8], "user": user(done.user), "user_url": f"{state.url}/{done.user.username}",
        "commit_url": f"{web}/-/commit/{done.sha}", "commit_title": one.repo.commit(done.sha)["message"].partition("\n")[0],
        "ref": done.ref,
    }  # fmt: skip
