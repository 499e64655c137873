"""Repositories, refs, pushes, tags, merges: on real bare Git repositories."""

from __future__ import annotations

import base64
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.domain.effect import File
from bot.forges.local import history
from bot.forges.local.commit import Author, move
from bot.forges.local.git import ZERO, git, line, run
from bot.forges.local.tree import Index
from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.objects import known, modes
from tests.forges.azure.fake.policies import protected
from tests.forges.azure.fake.pulls import pushed
from tests.forges.azure.fake.state import (
    CREATE,
    EDIT_POLICIES,
    Failure,
    Json,
    Organisation,
    Person,
    Push,
    Repo,
    Update,
    now,
)


@answers("GET", "repositories")
def repositories(call: Request) -> Json:
    if "repositoryId" in call.route:
        return told.repository(call.repo, call.org)
    project = call.route.get("project")
    found = [r for r in call.org.repositories.values() if project in {None, r.project, r.project_id}]
    return told.listed([told.repository(one, call.org) for one in found])


@answers("POST", "repositories")
def create(call: Request) -> Reply:
    org, name, project = call.org, call.body["name"], call.route["project"]
    call.need(CREATE, "CreateRepository")
    if any((one.project, one.name) == (project, name) for one in org.repositories.values()):
        raise Failure(
            409,
            "GitRepositoryNameAlreadyExistsException",
            f"TF400948: A Git repository with the name {name} already exists.",
        )
    made = Repo(
        project, name, org.folder / "made" / project / f"{name}.git", default="", owner=call.by.unique
    )
    made.folder.mkdir(parents=True)
    git(made.folder, "init", "--quiet", "--bare")
    org.repositories[f"{project}/{name}"] = made
    return Reply(told.repository(made, org), 201)


@answers("PATCH", "repositories")
def update_repository(call: Request) -> Json:
    repo, wanted = call.repo, call.body["defaultBranch"]
    call.need(EDIT_POLICIES, "EditPolicies")
    if repo.head(wanted) == ZERO:
        raise Failure(404, "GitRefNotFoundException", f"TF401035: The object '{wanted}' does not exist.")
    repo.default = wanted.removeprefix("refs/heads/")
    return told.repository(repo, call.org)


@answers("GET", "projects")
def project(call: Request) -> Json:
    wanted = call.route["projectId"]
    found = [one for one in call.org.repositories.values() if wanted in {one.project, one.project_id}]
    if not found:
        raise Failure(
            404,
            "ProjectDoesNotExistWithNameException",
            f"TF200016: The following project does not exist: {wanted}.",
        )
    return told.project(found[0], call.org)


@answers("GET", "refs")
def refs(call: Request) -> Reply:
    repo, prefix = call.repo, "refs/" + call.query.get("filter", "")
    found: list[Any] = []
    for name, sha in repo.refs().items():
        if not name.startswith(prefix):
            continue
        one = {"name": name, "objectId": sha, "creator": told.person(call.by, call.org), "url": name}
        peeled = history.resolve(repo.folder, name)
        if call.query.get("peelTags") == "true" and peeled != sha:
            one["peeledObjectId"] = str(peeled)
        found.append(one)
    return call.paged(found)


@answers("POST", "refs")
def update_refs(call: Request) -> Json:
    repo = call.repo
    updates = [Update(one["name"], one["oldObjectId"], one["newObjectId"]) for one in call.body]
    results = [_moved(call, repo, update) for update in updates]
    done = [update for update, result in zip(updates, results, strict=True) if result["success"]]
    if done:
        record(call.org, repo, call.by, done)
    return told.listed(results)


def _moved(call: Request, repo: Repo, update: Update) -> Json:
    status = "succeeded"
    if not call.allowed(4):
        status = "writePermissionRequired"
    elif protected(repo, update.ref) and update.old != ZERO:
        status = "rejectedByPolicy"
    elif not move(repo.folder, update.ref, update.new, update.old):
        status = "staleOldObjectId"
    return {
        "repositoryId": repo.id,
        "name": update.ref,
        "oldObjectId": update.old,
        "newObjectId": update.new,
        "isLocked": False,
        "updateStatus": status,
        "success": status == "succeeded",
    }


def record(org: Organisation, repo: Repo, by: Person, updates: list[Update]) -> Push:
    """A push happened: remember it, look at the changes of the branches, tell."""
    commits: list[history.Commit] = []
    for update in updates:
        if update.new != ZERO and history.resolve(repo.folder, update.new):
            others = [] if update.old != ZERO else sorted(set(_others(repo, update)))
            commits += history.pushed_commits(repo.folder, update.old, update.new, others)
    if not repo.default:
        repo.default = updates[0].ref.removeprefix("refs/heads/")
    one = Push(org.number("push"), by, now(), updates, commits)
    repo.pushes.append(one)
    for commit in commits:
        repo.pushed_by.setdefault(commit.sha, one)
    said = told.push(repo, one, org, commits=True, refs=True)
    for update in said["refUpdates"]:
        update.pop("repositoryId")
    org.tell("git.push", said, f"{by.display} pushed updates to {repo.name}.")
    for update in updates:
        pushed(org, repo, by, update)
    return one


def _others(repo: Repo, update: Update) -> list[str]:
    return [sha for ref, sha in repo.refs().items() if ref != update.ref and ref.startswith("refs/heads/")]


@answers("POST", "pushes")
def push(call: Request) -> Reply:
    repo = call.repo
    call.write()
    (update,), (wanted,) = call.body["refUpdates"], call.body["commits"]
    ref, old = update["name"], update["oldObjectId"]
    at = repo.head(ref)
    if at not in {old, ZERO}:
        raise Failure(
            409,
            "GitReferenceStaleException",
            f"TF401028: The reference '{ref}' has already been updated by another client, "
            "so you cannot update it. Please try again.",
        )
    if protected(repo, ref) and at != ZERO:
        raise Failure(
            403,
            "GitRefUpdateRejectedByPolicyException",
            "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.",
        )
    parent = None if old == ZERO else history.resolve(repo.folder, old)
    if old != ZERO and parent is None:
        raise Failure(
            404, "GitUnresolvableToCommitException", f"TF401175: {old} cannot be resolved to a commit"
        )
    sha = _commit(call, repo, parent, wanted)
    move(repo.folder, ref, sha, at)
    one = record(call.org, repo, call.by, [Update(ref, at, sha)])
    return Reply(told.push(repo, one, call.org, commits=True, refs=True), 201)


def _commit(call: Request, repo: Repo, parent: str | None, wanted: Json) -> str:
    tree = _tree(repo, parent, wanted["changes"])
    author = wanted.get("author") or {"name": call.by.display, "email": call.by.mail, "date": now()}
    by = Author(author["name"], author["email"], author["date"])
    parents = ["-p", parent] if parent else []
    return line(
        repo.folder,
        "commit-tree",
        tree,
        *parents,
        "-F",
        "-",
        stdin=wanted["comment"].encode(),
        env=by.environment(),
    )


def _tree(repo: Repo, parent: str | None, changes: list[Json]) -> str:
    """Files that are added are plain, edited ones keep their mode."""
    before = {} if parent is None else modes(repo, parent)
    with TemporaryDirectory() as folder:
        index = Index(repo.folder, Path(folder))
        if parent:
            git(repo.folder, "read-tree", parent, env=index.env)
        files: dict[str, File] = {}
        for change in changes:
            path = change["item"]["path"].lstrip("/")
            there = path in before
            if change["changeType"] not in {"add", "edit", "delete"} or there != (
                change["changeType"] != "add"
            ):
                raise Failure(
                    400, "GitArgumentException", f"TF401035: {path} cannot be {change['changeType']}ed"
                )
            if change["changeType"] == "delete":
                index.remove([path.encode()])
                continue
            new = change["newContent"]
            encoded = new["content"]
            if new["contentType"] == "rawtext":
                encoded = base64.b64encode(encoded.encode()).decode()
            files[path] = File(
                path=path, content=encoded, encoding="base64", executable=before.get(path) == "100755"
            )
        index.write(files)
        return line(repo.folder, "write-tree", env=index.env)


@answers("GET", "pushes")
def pushes(call: Request) -> Json:
    repo = call.repo
    if "pushId" in call.route:
        one = next(p for p in repo.pushes if p.id == int(call.route["pushId"]))
        commits = int(call.query.get("includeCommits") or 0) > 0
        return told.push(
            repo, one, call.org, commits=commits, refs=call.query.get("includeRefUpdates") == "true"
        )
    ref, since = call.query.get("searchCriteria.refName"), call.query.get("searchCriteria.fromDate", "")
    found = [
        one
        for one in reversed(repo.pushes)
        if (ref is None or any(u.ref == ref for u in one.updates)) and one.at >= since[:19]
    ]
    refs_too = call.query.get("searchCriteria.includeRefUpdates", "").lower() == "true"
    page = [told.push(repo, one, call.org, commits=False, refs=refs_too) for one in call.skipped(found)]
    for one in page:
        one.pop("repository")
    return told.listed(page)


@answers("POST", "annotatedTags")
def annotated_tag(call: Request) -> Reply:
    repo, wanted = call.repo, call.body
    call.need(4, "CreateTag")
    ref, target = f"refs/tags/{wanted['name']}", wanted["taggedObject"]["objectId"]
    known(repo, target)
    if repo.head(ref) != ZERO:
        raise Failure(409, "GitFailedToCreateTagException", f"The tag {wanted['name']} already exists.")
    author = Author(call.by.display, call.by.mail, now()).environment()
    git(
        repo.folder,
        "tag",
        "-a",
        "-F",
        "-",
        wanted["name"],
        target,
        stdin=wanted["message"].encode(),
        env=author,
    )
    sha = repo.refs()[ref]
    record(call.org, repo, call.by, [Update(ref, ZERO, sha)])
    tagger = told.user_date(call.by.display, call.by.mail, now())
    tagged = {"objectId": target, "objectType": "commit"}
    about = {"name": wanted["name"], "objectId": sha, "taggedObject": tagged, "taggedBy": tagger}
    return Reply(about | {"message": wanted["message"], "url": sha}, 201)


@answers("POST", "merges")
def merge(call: Request) -> Reply:
    """A commit that no branch has. It is made when it is looked at again."""
    repo, number = call.repo, call.org.number("merge")
    for parent in call.body["parents"]:
        known(repo, parent)
    one = {"mergeOperationId": number, "status": "queued", "comment": call.body["comment"]}
    repo.merges[number] = one | {"parents": call.body["parents"], "detailedStatus": {}, "_links": {}}
    return Reply(repo.merges[number], 201)


@answers("GET", "merges")
def merged(call: Request) -> Json:
    repo, one = call.repo, call.repo.merges[int(call.route["mergeOperationId"])]
    if one["status"] == "queued":
        done = run(repo.folder, "merge-tree", "--write-tree", "--no-messages", *one["parents"])
        one["status"] = "completed" if done.returncode == 0 else "failed"
        if done.returncode:
            one["detailedStatus"] = {"failureMessage": "The merge has conflicts."}
        else:
            by = Author(call.by.display, call.by.mail, now())
            parents = [word for parent in one["parents"] for word in ("-p", parent)]
            tree, message = done.stdout.decode().split()[0], one["comment"].encode()
            sha = line(
                repo.folder, "commit-tree", tree, *parents, "-F", "-", stdin=message, env=by.environment()
            )
            one["detailedStatus"] = {"mergeCommitId": sha}
    return one
