"""How things look on the wire: the fields GitHub has, of each kind as many as somebody may read."""

from __future__ import annotations

import re
from typing import Any

from tests.forges.github.fake.git import ZERO
from tests.forges.github.fake.hub import Account, Comment, Hub, Issue, Json, Pull, Repository


def simple_user(account: Account) -> Json:
    return {
        "login": account.login,
        "id": account.id,
        "node_id": f"U_{account.id}",
        "type": account.kind,
        "site_admin": False,
        "user_view_type": "public",
        "html_url": f"https://github.com/{account.login}",
    }


def user(hub: Hub, login: str | None) -> Json | None:
    return simple_user(hub.account(login)) if login else None


def repository(repo: Repository) -> Json:
    return {
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "description": repo.description,
        "owner": user(repo.hub, repo.owner),
        "html_url": f"https://github.com/{repo.full_name}",
        "fork": False,
        "default_branch": repo.default_branch,
        "archived": repo.archived,
    }


def about(repo: Repository, by: str) -> Json:
    """What every webhook call ends with."""
    said: Json = {"repository": repository(repo), "sender": user(repo.hub, by)}
    if repo.hub.installation:
        said["installation"] = {"id": repo.hub.installation.id, "node_id": "x"}
    return said


def commit_in_push(repo: Repository, sha: str) -> Json:
    said = repo.git.about(sha)
    parents = said["parents"].split()
    touched: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for status, path, previous in repo.git.changed(parents[0] if parents else None, sha):
        if previous:
            touched["removed"].append(previous)
        touched[
            "added" if status in {"added", "renamed"} else "removed" if status == "removed" else "modified"
        ].append(path)
    return {
        "id": sha,
        "tree_id": said["tree"],
        "distinct": True,
        "message": said["message"],
        "timestamp": said["ct"],
        "author": {"name": said["an"], "email": said["ae"]},
        "committer": {"name": said["cn"], "email": said["ce"]},
        **touched,
    }


def push(repo: Repository, ref: str, before: str | None, after: str | None, by: str) -> Json:
    new: list[str] = []
    if after and ref.startswith("refs/heads/"):
        base = before or (
            repo.head(repo.default_branch) if ref != f"refs/heads/{repo.default_branch}" else None
        )
        new = repo.git.log(after, *([f"^{base}"] if base else []))[::-1]
    peeled = repo.git.resolve(after) if after else None
    return {
        "ref": ref,
        "before": before or ZERO,
        "after": after or ZERO,
        "created": before is None,
        "deleted": after is None,
        "forced": bool(before and after and not repo.git.is_ancestor(before, after)),
        "base_ref": None,
        "commits": [commit_in_push(repo, sha) for sha in new],
        "head_commit": commit_in_push(repo, peeled) if peeled else None,
        "pusher": {"name": by},
    } | about(repo, by)


def verification(repo: Repository, sha: str) -> Json:
    verified = sha in repo.verified
    reason = "valid" if verified else "unsigned"
    return {"verified": verified, "reason": reason, "signature": None, "payload": None, "verified_at": None}


def git_commit(repo: Repository, sha: str) -> Json:
    """`/git/commits/{sha}`."""
    said = repo.git.about(sha)
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": f"{repo.hub.url}/repos/{repo.full_name}/git/commits/{sha}",
        "html_url": f"https://github.com/{repo.full_name}/commit/{sha}",
        "author": {"name": said["an"], "email": said["ae"], "date": said["at"]},
        "committer": {"name": said["cn"], "email": said["ce"], "date": said["ct"]},
        "message": said["message"],
        "tree": {"sha": said["tree"], "url": f"{repo.hub.url}/tree"},
        "parents": [
            {"sha": parent, "url": f"{repo.hub.url}/c", "html_url": f"https://github.com/c/{parent}"}
            for parent in said["parents"].split()
        ],
        "verification": verification(repo, sha),
    }


def commit(repo: Repository, sha: str) -> Json:
    """`/commits`: with the accounts GitHub takes the addresses for."""
    said = git_commit(repo, sha)
    inner = {name: said[name] for name in ("author", "committer", "message", "tree", "url", "verification")}
    author, committer = (repo.hub.by_email(said[who]["email"]) for who in ("author", "committer"))
    return {
        "sha": sha,
        "node_id": said["node_id"],
        "url": said["url"],
        "html_url": said["html_url"],
        "comments_url": said["url"],
        "commit": inner | {"comment_count": 0},
        "author": simple_user(author) if author else None,
        "committer": simple_user(committer) if committer else None,
        "parents": said["parents"],
    }


def mergeable(repo: Repository, pull_: Pull) -> bool | None:
    if pull_.state != "open":
        return None
    base = repo.head(pull_.base_ref)
    return bool(base and repo.git.merged_tree(base, pull_.head_sha))


def pull(repo: Repository, one: Pull) -> Json:
    branch = {"user": user(repo.hub, repo.owner), "repo": repository(repo)}
    here = f"https://github.com/{repo.full_name}/pull/{one.number}"
    return {
        "id": one.number + 1_000_000,
        "node_id": f"PR_{one.number}",
        "url": f"{repo.hub.url}/repos/{repo.full_name}/pulls/{one.number}",
        "html_url": here,
        "number": one.number,
        "state": one.state,
        "locked": False,
        "title": one.title,
        "user": user(repo.hub, one.user),
        "body": one.body,
        "labels": [label(name) for name in one.labels],
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "closed_at": None if one.state == "open" else one.updated_at,
        "merged_at": one.merged_at,
        "merge_commit_sha": one.merge_commit_sha,
        "draft": one.draft,
        "requested_reviewers": [],
        "requested_teams": [],
        "head": {"label": f"{repo.owner}:{one.head_ref}", "ref": one.head_ref, "sha": one.head_sha} | branch,
        "base": {"label": f"{repo.owner}:{one.base_ref}", "ref": one.base_ref, "sha": one.base_sha} | branch,
        "merged": bool(one.merged_at),
        "mergeable": mergeable(repo, one),
        "mergeable_state": "unknown",
        "merged_by": user(repo.hub, one.merged_by),
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
    }


CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b", re.IGNORECASE)


def closing(repo: Repository, one: Pull) -> list[Issue]:
    """The issues that a change closes by its words."""
    numbers = dict.fromkeys(int(number) for number in CLOSING.findall(one.body or ""))
    return [repo.issues[number] for number in numbers if number in repo.issues]


def issue(repo: Repository, one: Issue) -> Json:
    here = f"https://github.com/{repo.full_name}/issues/{one.number}"
    return {
        "id": one.number + 2_000_000, "node_id": f"I_{one.number}", "number": one.number, "title": one.title, "body": one.body,
        "url": f"{repo.hub.url}/repos/{repo.full_name}/issues/{one.number}", "html_url": here, "state": one.state,
        "user": user(repo.hub, one.user), "labels": [label(name) for name in one.labels], "locked": False, "comments": 0,
        "created_at": one.created_at, "updated_at": one.created_at, "closed_at": None, "assignees": [], "milestone": None,
        "author_association": "MEMBER",
    }  # fmt: skip


def issue_of_pull(repo: Repository, one: Pull) -> Json:
    """A change, in the list of issues."""
    said = issue(
        repo, Issue(one.number, one.title, one.body, one.user, one.labels, one.state, one.created_at)
    )
    here = f"https://github.com/{repo.full_name}/pull/{one.number}"
    return said | {
        "html_url": here,
        "pull_request": {"url": "x", "html_url": here, "diff_url": None, "patch_url": None},
    }


def label(name: str) -> Json:
    return {
        "id": abs(hash(name)) % 10**9,
        "node_id": "L",
        "url": "https://api.github.com/l",
        "name": name,
        "color": "ededed",
        "default": False,
        "description": "",
    }


def comment(repo: Repository, one: Comment) -> Json:
    return {
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "url": f"{repo.hub.url}/repos/{repo.full_name}/issues/comments/{one.id}",
        "html_url": f"https://github.com/{repo.full_name}/pull/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{repo.hub.url}/repos/{repo.full_name}/issues/{one.number}",
        "user": user(repo.hub, one.user),
        "body": one.body,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "author_association": "MEMBER",
    }


def tell_comment(repo: Repository, one: Comment, action: str, by: str) -> None:
    about_pull = repo.pulls[one.number]
    issue = {
        "number": one.number,
        "title": about_pull.title,
        "state": about_pull.state,
        "pull_request": {"url": f"{repo.hub.url}/repos/{repo.full_name}/pulls/{one.number}"},
    }
    repo.hub.tell(
        "issue_comment", {"action": action, "issue": issue, "comment": comment(repo, one)} | about(repo, by)
    )


def app(hub: Hub, slug: str | None = None) -> Json:
    return {
        "id": hub.app_id,
        "slug": slug or hub.app_slug,
        "node_id": "A",
        "name": "Pointsman",
        "owner": user(hub, "acme"),
    }


def check_run(repo: Repository, run: Json) -> Json:
    said = {name: value for name, value in run.items() if name != "slug"}
    output = {"title": None, "summary": None, "text": None, "annotations_count": 0} | run["output"]
    return said | {
        "output": output,
        "app": app(repo.hub, run["slug"]),
        "pull_requests": [],
        "check_suite": {"id": 1},
    }


def status(repo: Repository, one: Json) -> Json:
    return {name: value for name, value in one.items() if name not in {"sha", "creator"}} | {
        "creator": user(repo.hub, one["creator"])
    }


def deployment(repo: Repository, one: Json) -> Json:
    said = {name: value for name, value in one.items() if name != "statuses"}
    return said | {"creator": user(repo.hub, one["creator"])}


def deployment_status(repo: Repository, one: Json) -> Json:
    return one | {"creator": user(repo.hub, one["creator"])}


def run(repo: Repository, one: Json) -> Json:
    said = {
        name: value for name, value in one.items() if name not in {"jobs", "coverage", "waiting", "answers"}
    }
    here = repository(repo)
    return said | {
        "repository": here,
        "head_repository": here,
        "head_commit": _head_commit(repo, one["head_sha"]),
    }


def _head_commit(repo: Repository, sha: str) -> Any:
    said = repo.git.about(sha)
    return {
        "id": sha,
        "tree_id": said["tree"],
        "message": said["message"],
        "timestamp": said["ct"],
        "author": {"name": said["an"], "email": said["ae"]},
        "committer": {"name": said["cn"], "email": said["ce"]},
    }
