"""The fake's state as the API tells it: field by field what dev.azure.com was recorded to answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.forges.local import history
from bot.forges.local.git import line
from tests.forges.azure.fake.state import Comment, Json, Organisation, Person, Pull, Push, Repo, Thread, guid


def person(one: Person, org: Organisation) -> Json:
    return {
        "displayName": one.display,
        "url": f"{org.url}/_apis/Identities/{one.id}",
        "_links": {"avatar": {"href": f"{org.url}/_apis/GraphProfile/MemberAvatars/aad.{one.id}"}},
        "id": one.id,
        "uniqueName": one.unique,
        "imageUrl": f"{org.url}/_api/_common/identityImage?id={one.id}",
        "descriptor": f"aad.{one.id}",
    }


def project(repo: Repo, org: Organisation) -> Json:
    return {
        "id": repo.project_id,
        "name": repo.project,
        "url": f"{org.url}/_apis/projects/{repo.project_id}",
        "state": "wellFormed",
        "revision": 11,
        "visibility": "public" if repo.project in org.public else "private",
        "lastUpdateTime": "2026-01-09T16:32:42.21Z",
    }


def repository(repo: Repo, org: Organisation, *, in_event: bool = False) -> Json:
    """In the events of pull requests the default branch is left out."""
    web = f"{org.url}/{quote(repo.project)}/_git/{quote(repo.name)}"
    about = {
        "id": repo.id,
        "name": repo.name,
        "url": f"{org.url}/{repo.project_id}/_apis/git/repositories/{repo.id}",
        "project": project(repo, org),
        "size": 1602,
        "remoteUrl": web,
        "sshUrl": f"git@ssh.example.org:v3/{repo.project}/{repo.name}",
        "webUrl": web,
        "isDisabled": False,
        "isInMaintenance": False,
    }
    return about if in_event or not repo.default else about | {"defaultBranch": f"refs/heads/{repo.default}"}


def identity(one: Person, org: Organisation, *, expanded: bool) -> Json:
    values = {"SchemaClassName": "User", "Domain": guid("tenant"), "Account": one.unique, "Mail": one.mail}
    return {
        "id": one.id,
        "descriptor": one.descriptor,
        "subjectDescriptor": f"aad.{one.id}",
        "providerDisplayName": one.display,
        "isActive": True,
        "members": [],
        "memberOf": [org.groups[name].descriptor for name in one.groups] if expanded else [],
        "memberIds": [],
        "properties": {name: {"$type": "System.String", "$value": value} for name, value in values.items()},
        "resourceVersion": 2,
        "metaTypeId": 255,
    }


def user_date(name: str, email: str, date: str) -> Json:
    return {"name": name, "email": email, "date": date}


def commit_ref(repo: Repo, sha: str, org: Organisation) -> Json:
    return {
        "commitId": sha,
        "url": f"{org.url}/{repo.project_id}/_apis/git/repositories/{repo.id}/commits/{sha}",
    }


def commit(repo: Repo, one: history.Commit, org: Organisation, *, short: bool) -> Json:
    """In lists a message is cut after its first line."""
    about = line(repo.folder, "show", "-s", "--format=%cn%x00%cI%x00%P%x00%T", one.sha).split("\0")
    first, _, rest = one.message.partition("\n")
    cut: Json = {"comment": first, "commentTruncated": True} if short and rest else {"comment": one.message}
    told = commit_ref(repo, one.sha, org) | {
        "author": user_date(one.author_name, one.author, one.authored_at),
        "committer": user_date(about[0], one.committer, about[1]),
        **cut,
    }
    if short:
        return told
    push = repo.pushed_by.get(one.sha)
    more: Json = {"treeId": about[3], "parents": about[2].split(), "_links": {}}
    return told | more | ({"push": push_ref(push, org)} if push else {})


def push_ref(one: Push, org: Organisation) -> Json:
    return {
        "pushedBy": person(one.by, org),
        "pushId": one.id,
        "date": one.at,
        "url": f"{org.url}/_apis/git/pushes/{one.id}",
    }


def push(repo: Repo, one: Push, org: Organisation, *, commits: bool, refs: bool) -> Json:
    told = push_ref(one, org) | {"repository": repository(repo, org), "_links": {}}
    if commits:
        told["commits"] = [_pushed_commit(repo, c, org) for c in one.commits]
    if refs:
        told["refUpdates"] = [
            {"repositoryId": repo.id, "name": u.ref, "oldObjectId": u.old, "newObjectId": u.new}
            for u in one.updates
        ]
    return told


def _pushed_commit(repo: Repo, one: history.Commit, org: Organisation) -> Json:
    whole = commit(repo, one, org, short=False)
    return {key: whole[key] for key in ("commitId", "author", "committer", "comment", "url")}


def pull(repo: Repo, one: Pull, org: Organisation, *, in_event: bool = False) -> Json:
    base = f"{org.url}/{repo.project_id}/_apis/git/repositories/{repo.id}"
    web = f"{org.url}/{quote(repo.project)}/_git/{quote(repo.name)}/pullrequest/{one.id}"
    told: Json = {
        "repository": repository(repo, org, in_event=True),
        "pullRequestId": one.id,
        "codeReviewId": one.id,
        "status": one.status,
        "createdBy": person(one.by, org),
        "creationDate": one.created,
        "title": one.title,
        "description": one.body,
        "sourceRefName": f"refs/heads/{one.source}",
        "targetRefName": f"refs/heads/{one.target}",
        "mergeStatus": one.merge_status,
        "isDraft": one.draft,
        "mergeId": guid(f"merge:{repo.id}:{one.id}"),
        "lastMergeSourceCommit": commit_ref(repo, one.head, org),
        "lastMergeTargetCommit": commit_ref(repo, one.onto, org),
        "reviewers": [_vote(base, one, by, vote, org) for by, vote in one.votes.values()],
        "url": f"{base}/pullRequests/{one.id}",
        "_links": {"web": {"href": web}, "statuses": {"href": f"{base}/pullRequests/{one.id}/statuses"}},
        "supportsIterations": True,
        "artifactId": f"vstfs:///Git/PullRequestId/{repo.project_id}%2f{repo.id}%2f{one.id}",
    }
    if not one.body:
        del told["description"]
    if one.labels:
        told["labels"] = [{"id": guid(name), "name": name, "active": True} for name in one.labels]
    if one.merge and one.merge_status == "succeeded":
        merged = history.commits(repo.folder, one.merge, limit=1)[0]
        short = commit(repo, merged, org, short=False)
        told["lastMergeCommit"] = {
            key: short[key] for key in ("commitId", "author", "committer", "comment", "url")
        }
    optional = {
        "closedDate": one.closed,
        "closedBy": person(one.closed_by, org) if one.closed_by else None,
        "completionOptions": one.options,
        "completionQueueTime": one.queued,
    }
    return told | {name: value for name, value in optional.items() if value is not None}


def _vote(base: str, one: Pull, by: Person, vote: int, org: Organisation) -> Json:
    about = {"vote": vote, "hasDeclined": False, "isFlagged": False}
    plain = {key: value for key, value in person(by, org).items() if key != "descriptor"}
    return plain | about | {"reviewerUrl": f"{base}/pullRequests/{one.id}/reviewers/{by.id}"}


def comment(repo: Repo, pull_: Pull, thread: Thread, one: Comment, org: Organisation) -> Json:
    base = f"{org.url}/_apis/git/repositories/{repo.id}/pullRequests/{pull_.id}/threads/{thread.id}"
    return {
        "id": one.id,
        "parentCommentId": one.parent,
        "author": person(one.author, org),
        **({} if one.deleted else {"content": one.content}),
        "publishedDate": one.published,
        "lastUpdatedDate": one.written,
        "lastContentUpdatedDate": one.written,
        "commentType": "text",
        **({"isDeleted": True} if one.deleted else {}),
        "usersLiked": [person(who, org) for who in one.likes],
        "_links": {"self": {"href": f"{base}/comments/{one.id}"}, "threads": {"href": base}},
    }


def thread(repo: Repo, pull_: Pull, one: Thread, org: Organisation) -> Json:
    first = one.comments[0]
    return {
        "id": one.id,
        "publishedDate": first.published,
        "lastUpdatedDate": first.written,
        "comments": [comment(repo, pull_, one, c, org) for c in one.comments],
        **({"status": one.status} if one.status else {}),
        "threadContext": None,
        "properties": {},
        "identities": None,
        "isDeleted": False,
        "_links": {"self": {"href": f"{org.url}/threads/{one.id}"}},
    }


def listed(values: list[Any]) -> Json:
    return {"count": len(values), "value": values}
