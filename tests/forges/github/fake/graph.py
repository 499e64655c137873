"""GraphQL: executed by graphql-core against GitHub's own schema, so that a query GitHub would refuse is refused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Account, Hub, Json, Repository
from tests.forges.github.fake.server import Call, Reply, route
from tests.support.node import TOOLS

LISTED = 3000
"""Files of a change that GitHub lists at most; `changedFiles` alone counts them all."""


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """GitHub's; it takes a second to read."""
    return build_schema((TOOLS / "@octokit/graphql-schema/schema.graphql").read_text(), assume_valid=True)


@route("POST", "/graphql")
def graphql(call: Call) -> Reply:
    said = call.json
    root = {"repository": lambda _info, owner, name, **_: _repository(call, f"{owner}/{name}")}
    result = graphql_sync(schema(), said["query"], root, variable_values=said.get("variables"))
    if result.data is None:
        return Reply(200, {"errors": [{"message": error.message} for error in result.errors or []]})
    errors = [
        {
            "message": error.message,
            "path": error.path,
            "type": (error.extensions or {}).get("type", "INTERNAL"),
        }
        for error in result.errors or []
    ]
    return Reply(200, {"data": result.data} | ({"errors": errors} if errors else {}))


class Missing(Exception):
    """NOT_FOUND or FORBIDDEN, as GitHub says it beside the data."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.extensions = {"type": kind}


def _repository(call: Call, full_name: str) -> Json:
    repo, bearer = call.hub.repositories.get(full_name), call.bearer
    assert bearer
    hidden = repo and bearer.repositories and repo.name not in bearer.repositories
    if repo is None or hidden or (bearer.permissions is None and repo.may(bearer.login) == "none"):
        raise Missing("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
    held = repo.may(bearer.login)
    default = repo.head(repo.default_branch)
    return {
        "viewerPermission": None if bearer.permissions is not None else held.upper(),
        "isArchived": repo.archived,
        "owner": _owner(call, repo),
        "defaultBranchRef": _ref(repo, repo.default_branch) if default else None,
        "collaborators": lambda _info, **said: _collaborators(call, repo, **said),
        "object": lambda _info, expression=None, **_: _object(repo, expression),
        "ref": lambda _info, qualifiedName: _ref(repo, qualifiedName.removeprefix("refs/heads/")),  # noqa: N803 - GitHub's
        "pullRequests": lambda _info, first, **_: {"nodes": _merged(repo)[:first]},
        "pullRequest": lambda _info, number: _pull(repo, number),
    }


def _collaborators(call: Call, repo: Repository, query: str, **_: Any) -> Json:
    assert call.bearer
    held = call.bearer.permissions
    may = (
        held.get("administration") == "read"
        if held is not None
        else repo.may(call.login) in {"write", "maintain", "admin"}
    )
    if not may:
        raise Missing("FORBIDDEN", "You do not have permission to view repository collaborators.")
    found = [(login, level) for login, level in repo.people.items() if query in login and level != "none"]
    return {"edges": [{"permission": level.upper(), "node": {"login": login}} for login, level in found]}


def _owner(call: Call, repo: Repository) -> Json:
    kind = call.hub.accounts[repo.owner].kind
    return {
        "__typename": kind,
        "login": repo.owner,
        "teams": lambda _info, **said: _teams(call, repo.owner, **said),
    }


def _teams(call: Call, owner: str, userLogins: list[str] | None = None, **_: Any) -> Json:  # noqa: N803 - GitHub's
    assert call.bearer
    permissions = call.bearer.permissions
    if permissions is not None and permissions.get("members") != "read":
        raise Missing("FORBIDDEN", "Resource not accessible by integration")
    wanted = set(userLogins or ())
    found = [
        name for name, members in call.hub.teams.items() if name.startswith(f"{owner}/") and members & wanted
    ]
    return {"nodes": [{"combinedSlug": name} for name in sorted(found)]}


def _ref(repo: Repository, branch: str) -> Json | None:
    head = repo.head(branch)
    if head is None:
        return None
    return {
        "name": branch,
        "target": _commit(repo, head),
        "refUpdateRule": {"pattern": branch} if branch in repo.protection else None,
        "rules": {
            "totalCount": sum(len(one["rules"]) for one in repo.rulesets if repo.is_ruled(branch, one))
        },
    }


def _object(repo: Repository, expression: str) -> Json | None:
    found = repo.git.text(expression)
    if found is None:
        return None
    sha, content = found
    text = None if b"\0" in content else content.decode(errors="replace")
    large = len(content) > 512 * 1024
    return {
        "__typename": "Blob",
        "oid": sha,
        "text": text[: 512 * 1024] if text else text,
        "isBinary": text is None,
        "isTruncated": large,
    }


def _commit(repo: Repository, sha: str) -> Json:
    said = repo.git.about(sha)
    co_authors = [
        line.rpartition("<")[2].rstrip("> ")
        for line in said["message"].splitlines()
        if line.lower().startswith("co-authored-by:")
    ]
    people = [_git_actor(repo.hub, email) for email in (said["ae"], *co_authors)]
    return {
        "__typename": "Commit",
        "oid": sha,
        "message": said["message"],
        "tree": {"__typename": "Tree", "oid": said["tree"]},
        "signature": _signature(repo, sha),
        "checkSuites": {"nodes": [_suite(run) for run in repo.runs if run["head_sha"] == sha]},
        "authors": {"nodes": people},
        "committer": _git_actor(repo.hub, said["ce"]),
    }


def _signature(repo: Repository, sha: str) -> Json | None:
    signed = {"__typename": "GpgSignature", "isValid": True, "wasSignedByGitHub": True, "signer": None}
    return signed if sha in repo.verified else None


def _suite(run: Json) -> Json:
    ended = run["conclusion"].upper() if run["conclusion"] else None
    return {"conclusion": ended, "workflowRun": {"id": str(run["id"])}}


def _review(repo: Repository, login: str, state: str, sha: str) -> Json:
    return {"state": state, "author": _actor(repo.hub.accounts[login]), "commit": _commit(repo, sha)}


def _merged(repo: Repository) -> list[Json]:
    return [_pull(repo, pull.number) for pull in list(repo.pulls.values())[::-1] if pull.merged_at]


def _git_actor(hub: Hub, email: str) -> Json:
    """Of an address. Bots are no `User`, so GitHub names none for them."""
    account = hub.by_email(email)
    known = account and account.kind == "User"
    return {"email": email, "user": {"login": account.login} if account and known else None}


def _actor(account: Account | None) -> Json | None:
    """Bots go by the name of their App here, without `[bot]`."""
    return {"__typename": account.kind, "login": account.login.removesuffix("[bot]")} if account else None


def _page(
    nodes: list[Any], first: int | None = None, last: int | None = None, after: str | None = None, **_: Any
) -> Json:
    start = int(after) if after else 0
    part = nodes[-last:] if last else nodes[start : start + (first or 0)]
    end = start + len(part)
    return {"nodes": part, "pageInfo": {"hasNextPage": not last and end < len(nodes), "endCursor": str(end)}}


def _compare(repo: Repository, base: str, head: str) -> Json | None:
    one, other = repo.head(base), repo.head(head)
    return {"behindBy": len(repo.git.log(one, f"^{other}"))} if one and other else None


def _pull(repo: Repository, number: int) -> Json:
    pull = repo.pulls.get(number)
    if pull is None:
        raise Missing("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    base = pull.base_sha if pull.merged_at else (repo.head(pull.base_ref) or pull.base_sha)
    start = repo.git.merge_base(base, pull.head_sha)
    listed = repo.git.log(pull.head_sha, f"^{base}")[::-1]
    added, removed = repo.git.lines(start, pull.head_sha)
    kinds = {
        "added": "ADDED",
        "modified": "MODIFIED",
        "removed": "DELETED",
        "renamed": "RENAMED",
        "changed": "CHANGED",
    }
    files = [
        {"path": path, "changeType": kinds[how]} for how, path, _ in repo.git.changed(start, pull.head_sha)
    ]
    named = []
    if pull.base_ref == repo.default_branch:  # to other branches GitHub does not read these words
        named = [(repo.full_name, issue.number) for issue in answers.closing(repo, pull)]
    return {
        "number": number,
        "title": pull.title,
        "url": f"https://github.com/{repo.full_name}/pull/{number}",
        "state": "MERGED" if pull.merged_at else pull.state.upper(),
        "isDraft": pull.draft,
        "isCrossRepository": False,
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base_ref,
        "headRepositoryOwner": {"__typename": "Organization", "login": repo.owner},
        "author": _actor(repo.hub.accounts.get(pull.user)),
        "mergedBy": _actor(repo.hub.accounts.get(pull.merged_by or "")),
        "additions": added,
        "deletions": removed,
        "baseRef": {"compare": lambda _info, headRef: _compare(repo, pull.base_ref, headRef)},  # noqa: N803 - GitHub's
        "closingIssuesReferences": {
            "nodes": [
                {"number": n, "repository": {"nameWithOwner": where}} for where, n in (*pull.closes, *named)
            ]
        },
        "latestOpinionatedReviews": {"nodes": [_review(repo, *said) for said in pull.reviews]},
        "labels": {"nodes": [{"name": name} for name in pull.labels]},
        "mergeCommit": _commit(repo, pull.merge_commit_sha) if pull.merge_commit_sha else None,
        "commits": lambda _info, **said: _page([{"commit": _commit(repo, sha)} for sha in listed], **said),
        "changedFiles": len(files),
        "files": lambda _info, **said: _page(files[:LISTED], **said),
    }
