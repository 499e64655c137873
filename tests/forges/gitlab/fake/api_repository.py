"""Branches, commits, trees, files, tags, archives."""

from __future__ import annotations

import base64
from typing import Any

from bot.forges.local.git import ZERO, GitFailed, git
from tests.forges.gitlab.fake import shapes
from tests.forges.gitlab.fake.deeds import person
from tests.forges.gitlab.fake.git import Index, Refused
from tests.forges.gitlab.fake.hook_shapes import Moved
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, bad, missing, route
from tests.forges.gitlab.fake.state import DEVELOPER, Json


def commit_of(call: Call, revision: str) -> str:
    sha = call.project.repo.resolve(revision)
    if sha is None:
        raise missing("Commit")
    return sha


@route("GET", "/projects/:id/repository/branches/:name")
def branch(call: Call) -> Json:
    if call.project.repo.head(call.path[4]) is None:
        raise missing("Branch")
    return shapes.branch(call.state, call.project, call.path[4], call.user)


@route("POST", "/projects/:id/repository/branches")
def make_branch(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("branch", "ref")
    name = call.body["branch"]
    if call.project.repo.head(name):
        raise bad("Branch already exists")
    sha = call.project.repo.resolve(call.body["ref"])
    if sha is None:
        raise bad("Invalid reference name")
    call.deeds.move(call.project, call.user, name, sha)
    return shapes.branch(call.state, call.project, name, call.user)


@route("GET", "/projects/:id/repository/commits")
def commits(call: Call) -> Answer:
    sha = call.project.repo.resolve(call.one("ref_name", call.project.default_branch))
    listed = call.project.repo.commits(sha) if sha else []
    return call.page([shapes.commit(call.state, call.project, one["id"]) for one in listed])


@route("GET", "/projects/:id/repository/commits/:sha")
def commit(call: Call) -> Json:
    return shapes.commit(call.state, call.project, commit_of(call, call.path[4]))


@route("GET", "/projects/:id/repository/commits/:sha/signature")
def signature(call: Call) -> Json:
    commit_of(call, call.path[4])
    raise missing("Signature")


@route("GET", "/projects/:id/repository/commits/:sha/diff")
def commit_diff(call: Call) -> Answer:
    sha = commit_of(call, call.path[4])
    parents = call.project.repo.commit(sha)["parents"]
    if parents:
        return call.page(call.project.repo.diff(parents[0], sha))
    first = call.project.repo.entries(sha, deep=True) or []
    return call.page(
        [{"old_path": one["path"], "new_path": one["path"]} for one in first if one["type"] == "blob"]
    )


@route("GET", "/projects/:id/repository/compare")
def compare(call: Call) -> Json:
    older, newer = commit_of(call, call.one("from")), commit_of(call, call.one("to"))
    start = older if call.one("straight") == "true" else call.project.repo.merge_base(older, newer)
    listed = [one["id"] for one in reversed(call.project.repo.commits(newer, f"^{older}"))]
    shown = [shapes.commit(call.state, call.project, sha) for sha in listed]
    return {
        "commit": shown[-1] if shown else None, "commits": shown, "diffs": call.project.repo.diff(start, newer),
        "compare_timeout": False, "compare_same_ref": older == newer, "web_url": call.state.url,
    }  # fmt: skip


@route("GET", "/projects/:id/repository/merge_base")
def merge_base(call: Call) -> Json:
    one, other = (commit_of(call, ref) for ref in call.query["refs[]"])
    return shapes.commit(call.state, call.project, call.project.repo.merge_base(one, other))


@route("GET", "/projects/:id/repository/tree")
def tree(call: Call) -> Answer:
    sha = call.project.repo.resolve(call.one("ref", call.project.default_branch))
    path = call.one("path")
    entries = call.project.repo.entries(sha, path, deep=call.one("recursive") == "true") if sha else None
    if entries is None:
        raise missing("Tree")
    # GitLab lists folders first.
    entries.sort(key=lambda entry: (entry["type"] != "tree", entry["path"]))
    return call.page(entries, keyset=call.one("pagination") == "keyset")


@route("GET", "/projects/:id/repository/files/:path")
def file(call: Call) -> Answer:
    sha = commit_of(call, call.one("ref"))
    found = call.project.repo.file(sha, call.path[4])
    if found is None:
        raise missing("File")
    last = _last(call, sha, call.path[4])
    headers = {
        "X-Gitlab-Blob-Id": found[0], "X-Gitlab-Commit-Id": sha, "X-Gitlab-File-Path": "path", "X-Gitlab-Size": str(len(found[2])),
        "X-Gitlab-Last-Commit-Id": last, "X-Gitlab-Execute-Filemode": str(found[1] == "100755").lower(),
    }  # fmt: skip
    return Answer({"file_path": call.path[4], "blob_id": found[0], "last_commit_id": last}, headers=headers)


def _last(call: Call, sha: str, path: str) -> str:
    return git(call.project.repo.folder, "log", "-1", "--format=%H", sha, "--", path).decode().strip()


@route("GET", "/projects/:id/repository/files/:path/raw")
def raw_file(call: Call) -> Answer:
    found = call.project.repo.file(commit_of(call, call.one("ref")), call.path[4])
    if found is None:
        raise missing("File")
    return Answer(raw=found[2], headers={"Content-Type": "text/plain"})


@route("GET", "/projects/:id/repository/blobs/:sha/raw")
def blob(call: Call) -> Answer:
    try:
        return Answer(raw=call.project.repo.blob(call.path[4]), headers={"Content-Type": "text/plain"})
    except GitFailed:
        raise missing("Blob") from None


@route("GET", "/projects/:id/repository/archive.tar.gz")
def archive(call: Call) -> Answer:
    sha, path = commit_of(call, call.one("sha")), call.one("path")
    prefix = f"{call.project.path.rpartition('/')[2]}-{sha}-{sha}" + (
        f"-{path.replace('/', '-')}" if path else ""
    )
    return Answer(
        raw=call.project.repo.archive(sha, prefix, path), headers={"Content-Type": "application/octet-stream"}
    )


# Commits made through the API


@route("POST", "/projects/:id/repository/commits")
def make_commit(call: Call) -> Json:
    call.need("branch", "commit_message", "actions")
    branch = call.body["branch"]
    head = call.project.repo.head(branch)
    _may_push(call, branch)
    start = _start(call, branch, head)
    try:
        with call.project.repo.index(start) as index:
            for action in call.body["actions"]:
                _act(call, index, action, start)
            built = index.tree()
    except (Refused, GitFailed) as refused:
        raise bad(str(refused)) from None
    message = call.body["commit_message"]
    sha = call.project.repo.write(built, [start] if start else [], message, person(call.user))
    call.deeds.move(call.project, call.user, branch, sha, before=head or ZERO)
    return shapes.commit(call.state, call.project, sha) | {
        "stats": None,
        "status": None,
        "project_id": call.project.id,
        "last_pipeline": None,
    }


def _may_push(call: Call, branch: str) -> None:
    """https://docs.gitlab.com/user/project/repository/branches/protected/"""
    if call.state.level(call.project, call.user) < DEVELOPER:
        raise Refuse(403, "403 Forbidden")
    push, _ = call.project.protected.get(branch, (DEVELOPER, 0))
    if push == 0 or call.state.level(call.project, call.user) < push:
        raise Refuse(403, "You are not allowed to push into this branch")


def _start(call: Call, branch: str, head: str | None) -> str | None:
    named = call.body.get("start_sha") or call.body.get("start_branch")
    if head and named:
        raise bad(
            f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        )
    if head is None and named is None and call.project.repo.branches():
        raise bad("You can only create or edit files when you are on a branch")
    return head or (commit_of(call, named) if named else None)


def _act(call: Call, index: Index, action: dict[str, Any], start: str | None) -> None:
    kind, path = action["action"], action["file_path"]
    if ".." in path.split("/") or path.startswith("/") or path.split("/")[0] == ".git":
        raise Refused(f"invalid path: {path!r}")
    there = index.is_file(path)
    if kind == "create":
        if there:
            raise Refused("A file with this name already exists")
        index.put(path, _content(action), "100644")
        return
    if not there:
        raise Refused("A file with this name doesn't exist")
    _unchanged(call, action, path, start)
    if kind == "update":
        index.put(path, _content(action), index.mode_of(path))
    elif kind == "delete":
        index.remove(path)
    elif kind == "chmod":
        index.mode(path, "100755" if action["execute_filemode"] else "100644")
    else:
        raise Refused("actions[action] does not have a valid value")


def _unchanged(call: Call, action: Json, path: str, start: str | None) -> None:
    named = action.get("last_commit_id")
    if named and start and _last(call, start, path) != named:
        raise Refused(
            f"You are attempting to update a file {path} that has changed since you started editing it."
        )


def _content(action: Json) -> bytes:
    text = action.get("content", "")
    return base64.b64decode(text) if action.get("encoding") == "base64" else text.encode()


# Tags


@route("GET", "/projects/:id/repository/tags/:name")
def tag(call: Call) -> Json:
    return _tag(call, call.path[4])


def _tag(call: Call, name: str) -> Json:
    known = call.project.repo.tags().get(name)
    if known is None:
        raise missing("Tag")
    return {
        "name": name, "message": None, "target": known[0], "commit": shapes.commit(call.state, call.project, known[1]),
        "release": None, "protected": False,
    }  # fmt: skip


@route("POST", "/projects/:id/repository/tags")
def make_tag(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("tag_name", "ref")
    name, repo = call.body["tag_name"], call.project.repo
    if name in repo.tags():
        raise bad(f"Tag {name} already exists")
    sha = repo.resolve(call.body["ref"])
    if sha is None:
        raise bad("Target " + call.body["ref"] + " is invalid")
    if message := call.body.get("message"):
        who = person(call.user)
        env = {"GIT_COMMITTER_NAME": who.name, "GIT_COMMITTER_EMAIL": who.email}
        git(repo.folder, "tag", "-a", "-F", "-", name, sha, stdin=message.encode(), env=env)
    else:
        repo.move(f"refs/tags/{name}", sha, ZERO)
    call.deeds.received(call.project, call.user, Moved(f"refs/tags/{name}", ZERO, repo.tags()[name][0], []))
    return _tag(call, name)
