"""A change as decisions need it: who has a part in it, what it touches, which trees it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.domain import payloads as p
from bot.domain.errors import Permanent, Retryable
from bot.domain.release import POLICY_FILE
from bot.forges.github import queries
from bot.forges.github.errors import Answered
from bot.forges.github.ground import GONE, Ground
from bot.forges.github.said import GHOST

Json = dict[str, Any]
STATES = {"OPEN": "open", "CLOSED": "closed", "MERGED": "merged"}
NOREPLY = re.compile(r"(?:\d+\+)?(.+)@users\.noreply\.github\.com", re.IGNORECASE)
"""https://docs.github.com/en/account-and-profile/reference/email-addresses-reference"""
WEB = "noreply@github.com"
"""The committer of what is merged or edited on GitHub itself: nobody."""
MOST_PAGES = 50


def change_of(ground: Ground, repository: str, pull: Json) -> Json:
    """Shape of `Change`, with `state`, `tree` of the head, `touchesPolicy`, `coAuthors`; merged: `mergeSha`,
    `mergeTree`.
    """
    commits = [node["commit"] for node in _all(ground, repository, pull, "commits")]
    files = list(_all(ground, repository, pull, "files"))
    parts = parts_of(ground, commits)
    pushers = _pushers(ground, repository, pull)
    tip = pull["tip"]["nodes"][0]["commit"] if pull["tip"]["nodes"] else {}
    tree = (tip.get("tree") or {}).get("oid", "")
    if tree:
        ground.trees.put(tree, repository, pull["headRefOid"])
    ground.targets.put(pull["baseRefName"], repository, str(pull["number"]))
    if pull["state"] == "OPEN" and not pull["isCrossRepository"]:
        ground.sources.put(pull["headRefName"], repository, str(pull["number"]))
    else:  # its branch may be gone
        ground.sources.forget(repository, str(pull["number"]))
    known = p.Change(
        repository=repository,
        number=pull["number"],
        title=pull["title"],
        url=pull["url"],
        author=actor(ground, pull["author"]),
        source=_source(pull),
        target=pull["baseRefName"],
        head=pull["headRefOid"],
        committers=tuple(sorted(parts.authors | parts.co_authors | set(pushers))),
        last_pusher=pushers[0] if pushers else None,
        labels=tuple(sorted(label["name"] for label in pull["labels"]["nodes"])),
        draft=pull["isDraft"],
        fork=pull["isCrossRepository"],
    )
    more = {
        "state": STATES[pull["state"]],
        "coAuthors": sorted(parts.co_authors),
        "tree": tree,
        "touchesPolicy": _touches_policy(ground, repository, pull, files),
        "additions": pull["additions"],
        "deletions": pull["deletions"],
        "commits": [_commit(ground, commit) for commit in commits],
        "workItems": [_issue(repository, one) for one in pull["closingIssuesReferences"]["nodes"]],
    }
    if len(files) == pull["changedFiles"]:  # a part of them would be taken for all
        more["paths"] = sorted(file["path"] for file in files)
    return known.to_json() | more | _behind(ground, repository, pull) | _merged(ground, repository, pull)


def actor(ground: Ground, who: Json | None) -> str:
    """GraphQL leaves `[bot]` off the login of a bot, where a person may well have the same one."""
    if not who:
        return GHOST
    return ground.name(f"{who['login']}[bot]" if who["__typename"] == "Bot" else who["login"])


def _source(pull: Json) -> str:
    owner = (pull["headRepositoryOwner"] or {}).get("login", GHOST)
    return f"{owner}:{pull['headRefName']}" if pull["isCrossRepository"] else str(pull["headRefName"])


def _merged(ground: Ground, repository: str, pull: Json) -> Json:
    commit = pull["mergeCommit"]
    if pull["state"] != "MERGED" or not commit:
        return {}
    ground.trees.put(commit["tree"]["oid"], repository, commit["oid"])
    return {
        "mergeSha": commit["oid"],
        "mergeTree": commit["tree"]["oid"],
        "mergedBy": actor(ground, pull["mergedBy"]),
    }


def _commit(ground: Ground, commit: Json) -> Json:
    signature = commit.get("signature") or {}
    said = {"sha": commit["oid"], "message": commit["message"], "signed": bool(signature.get("isValid"))}
    if signature.get("signer"):
        said["signer"] = ground.name(signature["signer"]["login"])
    elif signature.get("wasSignedByGitHub"):
        said["signer"] = "github"
    return said


def _issue(repository: str, issue: Json) -> str:
    """`#12`, or `acme/other#12`."""
    where = issue["repository"]["nameWithOwner"]
    return f"{'' if where == repository else where}#{issue['number']}"


def _behind(ground: Ground, repository: str, pull: Json) -> Json:
    """How many commits of the target the branch lacks."""
    if pull["state"] != "OPEN" or pull["isCrossRepository"]:
        return {}
    if counted := (pull.get("baseRef") or {}).get("compare"):
        return {"behind": counted["behindBy"]}
    between = f"{quote(pull['baseRefName'], safe='')}...{pull['headRefOid']}"
    try:
        said = ground.client.get(repository, f"/compare/{between}", params={"per_page": 1})
    except Answered as error:
        if error.status in GONE:
            return {}
        raise
    return {"behind": said["behind_by"]}


@dataclass
class Parts:
    """Who wrote the commits. Names are ours, or addresses where GitHub knows nobody of that address."""

    authors: set[str] = field(default_factory=set)
    co_authors: set[str] = field(default_factory=set)


def parts_of(ground: Ground, commits: Iterable[Json]) -> Parts:
    """Of all commits of a change."""
    parts = Parts()
    for commit in commits:
        names = [_git_actor(ground, one) for one in commit["authors"]["nodes"]]
        parts.authors |= {name for name in names[:1] if name}
        parts.co_authors |= {name for name in names[1:] if name}
        if committer := _git_actor(ground, commit["committer"]):
            parts.authors.add(committer)
    return parts


def _git_actor(ground: Ground, who: Json | None) -> str | None:
    """Bots are no users to GraphQL; their addresses tell who they are."""
    if not who:
        return None
    if who.get("user"):
        return ground.name(who["user"]["login"])
    email = str(who.get("email") or "").lower()
    if email == WEB:
        return None
    match = NOREPLY.fullmatch(email)
    return ground.name(match[1]) if match else email or None


def _all(ground: Ground, repository: str, pull: Json, field: str) -> Iterator[Json]:
    """All nodes of `commits` or `files`, however many pages there are."""
    page = pull[field]
    owner, _, name = repository.partition("/")
    for _ in range(MOST_PAGES):
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        wanted = {
            "owner": owner,
            "name": name,
            "number": pull["number"],
            "after": page["pageInfo"]["endCursor"],
        }
        said = ground.client.graphql(repository, queries.more(field), wanted)
        found = (said["data"].get("repository") or {}).get("pullRequest")
        if not found:
            raise Retryable("GitHub left out a part of a list")
        page = found[field]
    raise Permanent("TooMany", f"change {pull['number']} has more {field} than are read")


def _touches_policy(ground: Ground, repository: str, pull: Json, files: list[Json]) -> bool:
    """Whether the change edits the policy file, or takes it away under another name.

    GitHub lists 3,000 files of a change: it may be among those that are left out.
    """
    if len(files) < pull["changedFiles"]:
        return True
    if any(file["path"] == POLICY_FILE for file in files):
        return True
    if not any(file["changeType"] == "RENAMED" for file in files):
        return False
    listed = ground.client.pages(repository, f"/pulls/{pull['number']}/files")  # these tell the old name
    return any(file.get("previous_filename") == POLICY_FILE for file in listed)


def _pushers(ground: Ground, repository: str, pull: Json) -> tuple[str, ...]:
    """Who pushed to the branch since it was made, the last one first; names in commits are only claims.

    Empty where it cannot be known: in a fork, and on servers that keep no activity.
    """
    branch, head = pull["headRefName"], pull["headRefOid"]
    if pull["isCrossRepository"]:
        return ()
    if (known := ground.pushers.get(repository, branch, head)) is not None:
        return known
    params = {"ref": f"refs/heads/{branch}", "per_page": 100}
    try:
        listed = ground.client.get(repository, "/activity", params=params)
    except Answered as error:
        if error.status in GONE:
            return ()
        raise
    found = tuple(
        dict.fromkeys(
            ground.name((one.get("actor") or {}).get("login", GHOST)) for one in _since_made(listed)
        )
    )
    if listed and listed[0]["after"] == head:  # GitHub may be a moment behind
        ground.pushers.put(found, repository, branch, head)
    return found


def _since_made(activity: Iterable[Json]) -> Iterator[Json]:
    """The branch of that name as it is now; there may have been others before."""
    for one in activity:
        if one["activity_type"] == "branch_deletion":
            return
        yield one
        if one["activity_type"] == "branch_creation":
            return
