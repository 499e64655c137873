"""Answers of the REST API, with the keys of the recorded ones (test_shapes.py compares them)."""

from __future__ import annotations

from datetime import datetime

from tests.forges.gitlab.fake.state import (
    LEVELS,
    Change,
    Deployment,
    Group,
    Hook,
    Issue,
    Json,
    Note,
    Pipeline,
    Project,
    Release,
    State,
    Status,
    User,
)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_basic(state: State, one: User) -> Json:
    return {
        "id": one.id, "username": one.username, "name": one.username.title(), "state": "active", "avatar_url": None,
        "web_url": f"{state.url}/{one.username}",
    }  # fmt: skip


def user(state: State, one: User) -> Json:
    return user_basic(state, one) | {
        "created_at": "2026-01-01T00:00:00.000Z", "bio": "", "bot": one.bot, "location": None,
        "public_email": None if one.bot else one.email, "skype": "", "linkedin": "", "twitter": "", "website_url": "",
        "organization": None, "job_title": "", "followers": 0, "following": 0,
    }  # fmt: skip


def myself(state: State, one: User) -> Json:
    return user(state, one) | {"email": one.email, "commit_email": one.commit_email}


def project(state: State, one: Project, by: User) -> Json:
    group, _, _ = one.path.rpartition("/")
    kind = "group" if group in state.groups else "user"
    direct = one.members.get(by.id)
    total = state.level(one, by)
    return {
        "id": one.id, "name": one.path.rpartition("/")[2], "path_with_namespace": one.path,
        "default_branch": one.default_branch, "web_url": f"{state.url}/{one.path}", "visibility": one.visibility,
        "namespace": {"id": 1, "full_path": group, "kind": kind}, "empty_repo": not one.repo.branches(),
        "merge_method": one.merge_method, "squash_option": one.squash_option, "ci_config_path": one.ci_config_path,
        "only_allow_merge_if_pipeline_succeeds": one.pipelines_must_succeed, "description": one.description or None,
        "allow_merge_on_skipped_pipeline": one.skipped_is_success,
        "creator_id": one.creator, "last_activity_at": iso(one.last_activity),
        "permissions": {
            "project_access": {"access_level": direct, "notification_level": 3} if direct else None,
            "group_access": {"access_level": total, "notification_level": 3} if total > (direct or 0) else None,
        },
    }  # fmt: skip


def commit(state: State, one: Project, sha: str) -> Json:
    known = one.repo.commit(sha)
    return {
        "id": sha, "short_id": sha[:8], "created_at": known["committed_date"], "parent_ids": known["parents"],
        "title": known["message"].partition("\n")[0], "message": known["message"], "author_name": known["author_name"],
        "author_email": known["author_email"], "authored_date": known["authored_date"],
        "committer_name": known["committer_name"], "committer_email": known["committer_email"],
        "committed_date": known["committed_date"], "trailers": {}, "web_url": f"{state.url}/{one.path}/-/commit/{sha}",
    }  # fmt: skip


def branch(state: State, one: Project, name: str, by: User) -> Json:
    protected = name in one.protected
    push, merge = one.protected.get(name, (30, 30))
    level = state.level(one, by)
    return {
        "name": name, "merged": False, "protected": protected, "default": name == one.default_branch,
        "developers_can_push": protected and push == LEVELS["write"], "developers_can_merge": protected and merge == LEVELS["write"],
        "can_push": level >= 30 and (not protected or (push != 0 and level >= push)),
        "web_url": f"{state.url}/{one.path}/-/tree/{name}", "commit": commit(state, one, str(one.repo.head(name))),
    }  # fmt: skip


def change(state: State, one: Project, it: Change, *, status: str, head_pipeline: Pipeline | None) -> Json:
    who = {
        role: person and user_basic(state, person)
        for role, person in (("merged_by", it.merged_by), ("closed_by", it.closed_by))
    }
    run = head_pipeline and pipeline(state, one, head_pipeline, whole=True)
    base = it.versions[-1] if it.versions else None
    return {
        "id": it.id, "iid": it.iid, "project_id": one.id, "title": it.title, "description": it.description,
        "state": it.state, "created_at": iso(it.created_at), "updated_at": iso(it.updated_at), **who,
        "merge_user": who["merged_by"], "merged_at": iso(it.updated_at) if it.state == "merged" else None, "closed_at": None, "target_branch": it.target,
        "source_branch": it.source, "user_notes_count": len(it.notes), "upvotes": 0, "downvotes": 0,
        "author": user_basic(state, it.author), "assignees": [], "assignee": None,
        "reviewers": [user_basic(state, reviewer) for reviewer in it.reviewers], "source_project_id": one.id,
        "target_project_id": one.id, "labels": sorted(it.labels), "draft": it.draft, "work_in_progress": it.draft,
        "milestone": None, "merge_when_pipeline_succeeds": False, "merge_status": _old_status(status),
        "detailed_merge_status": status, "sha": it.head, "merge_commit_sha": it.merge_commit,
        "squash_commit_sha": it.squash_commit, "discussion_locked": None, "should_remove_source_branch": None,
        "force_remove_source_branch": False, "reference": f"!{it.iid}", "web_url": f"{state.url}/{one.path}/-/merge_requests/{it.iid}",
        "time_stats": {"time_estimate": 0, "total_time_spent": 0, "human_time_estimate": None, "human_total_time_spent": None},
        "squash": False, "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": status == "conflict", "subscribed": False, "changes_count": "1",
        "latest_build_started_at": None, "latest_build_finished_at": None, "first_deployed_to_production_at": None,
        "pipeline": run and {key: run[key] for key in ("id", "sha", "ref", "status", "web_url", "created_at", "updated_at")},
        "head_pipeline": run,
        "diff_refs": base and {"base_sha": base.base, "head_sha": base.head, "start_sha": base.start},
        "merge_error": it.merge_error, "user": {"can_merge": True}, "first_contribution": False, "approvals_before_merge": None,
    }  # fmt: skip


def _old_status(status: str) -> str:
    return "cannot_be_merged" if status in {"conflict", "broken_status"} else "can_be_merged"


def pipeline(state: State, one: Project, run: Pipeline, *, whole: bool = False) -> Json:
    said: Json = {
        "id": run.id, "iid": run.iid, "project_id": one.id, "sha": run.sha, "ref": run.ref, "status": run.status,
        "source": run.source, "created_at": iso(run.created_at), "updated_at": iso(run.created_at),
        "web_url": f"{state.url}/{one.path}/-/pipelines/{run.id}",
    }  # fmt: skip
    coverage = None if run.coverage is None else f"{run.coverage:.2f}"
    more = {
        "before_sha": "0" * 40, "tag": False, "yaml_errors": None, "user": user_basic(state, run.user), "started_at": None,
        "finished_at": None, "committed_at": None, "duration": None, "queued_duration": None, "coverage": coverage,
        "detailed_status": {"text": run.status, "label": run.status, "group": run.status},
    }  # fmt: skip
    return said | (more if whole else {})


def job(state: State, one: Project, run: Pipeline, built: Status) -> Json:
    return {
        "id": built.id, "name": built.name, "stage": built.stage, "status": built.status, "ref": run.ref, "tag": False,
        "coverage": built.coverage, "allow_failure": built.allow_failure, "created_at": iso(built.created_at),
        "started_at": None, "finished_at": None, "duration": 1.5, "queued_duration": 0.1,
        "user": user_basic(state, built.author), "commit": commit(state, one, run.sha),
        "pipeline": pipeline(state, one, run), "web_url": f"{state.url}/{one.path}/-/jobs/{built.id}",
        **_kept(built),
    } | ({"failure_reason": "script_failure"} if built.status == "failed" else {})  # fmt: skip


def _kept(built: Status) -> Json:
    """GitLab leaves `artifacts_file` out when there is none, and tells of one that is erased since."""
    if built.archive is None:
        return {"artifacts": [], "artifacts_expire_at": None}
    about = {"filename": "artifacts.zip", "size": len(built.archive)}
    kind = {"file_type": "archive", "file_format": "zip"}
    return {"artifacts_file": about, "artifacts": [about | kind], "artifacts_expire_at": None}


def issue(state: State, one: Project, it: Issue) -> Json:
    name = f"#{it.iid}"
    return {
        "id": it.id, "iid": it.iid, "project_id": one.id, "title": it.title, "description": it.description,
        "state": it.state, "created_at": iso(it.created_at), "updated_at": iso(it.created_at), "labels": sorted(it.labels),
        "author": user_basic(state, it.author), "web_url": f"{state.url}/{one.path}/-/issues/{it.iid}",
        "references": {"short": name, "relative": name, "full": f"{one.path}{name}"}, "issue_type": "issue",
    }  # fmt: skip


def release(state: State, one: Project, it: Release) -> Json:
    web = f"{state.url}/{one.path}/-/releases/{it.tag}"
    return {
        "tag_name": it.tag, "name": it.name, "description": it.description, "created_at": iso(it.created_at),
        "released_at": iso(it.created_at), "upcoming_release": False, "author": user_basic(state, it.author),
        "commit": commit(state, one, one.repo.tags()[it.tag][1]), "commit_path": "", "tag_path": "",
        "assets": {"count": 0, "sources": [], "links": []}, "evidences": [], "_links": {"self": web, "edit_url": f"{web}/edit"},
    }  # fmt: skip


def status(state: State, run: Pipeline, said: Status) -> Json:
    return {
        "id": said.id, "sha": run.sha, "ref": run.ref, "status": said.status, "name": said.name,
        "target_url": said.target_url, "description": said.description, "created_at": iso(said.created_at),
        "started_at": None, "finished_at": None, "allow_failure": said.allow_failure, "coverage": said.coverage,
        "pipeline_id": run.id, "author": user_basic(state, said.author),
    }  # fmt: skip


def note(state: State, it: Change, written: Note) -> Json:
    return {
        "id": written.id, "type": written.type, "body": written.body, "attachment": None,
        "author": user_basic(state, written.author), "created_at": iso(written.created_at),
        "updated_at": iso(written.updated_at), "system": written.system, "noteable_id": it.id,
        "noteable_type": "MergeRequest", "noteable_iid": it.iid, "resolvable": False, "confidential": False, "internal": False,
    }  # fmt: skip


def deployment(state: State, one: Project, done: Deployment) -> Json:
    return {
        "id": done.id, "iid": done.iid, "ref": done.ref, "sha": done.sha, "created_at": iso(done.created_at),
        "updated_at": iso(done.created_at), "user": user_basic(state, done.user),
        "environment": one.environments[done.environment], "deployable": None, "status": done.status,
    }  # fmt: skip


def group(one: Group) -> Json:
    return {"id": one.id, "name": one.full_path.rpartition("/")[2], "full_path": one.full_path}


def member(state: State, one: User, level: int) -> Json:
    return user_basic(state, one) | {"access_level": level, "expires_at": None}


def hook(one: Project, it: Hook) -> Json:
    return {
        "id": it.id, "url": it.url, "project_id": one.id, "alert_status": it.alert_status, "disabled_until": None,
        "token_present": bool(it.token), "signing_token_present": bool(it.signing_token), "url_variables": [],
        "created_at": "2026-01-01T00:00:00.000Z", "custom_headers": [], "name": None, "description": None, **it.wanted,
    }  # fmt: skip
