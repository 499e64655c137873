"""A change as gates and code owners read it: state, trees, extent, and everybody with a part in it."""

from __future__ import annotations

from itertools import islice
from typing import Any

from bot.domain.release import POLICY_FILE
from bot.forges.gitlab import files
from bot.forges.gitlab.changes import change_path, get_change
from bot.forges.gitlab.client import Api, Json, project, segment
from bot.forges.gitlab.people import Addresses
from bot.forges.gitlab.rebase import base_of
from bot.forges.trailers import CO_AUTHOR
from bot.messages import BOT

COMMITS, TOLD, PUSHES = 500, 250, 300
STATES = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}


def change_facts(api: Api, repository: str, number: int) -> dict[str, Any]:
    """Shape of `FactsGathered.change`."""
    change = get_change(api, repository, number, include_diverged_commits_count="true")
    head = str(change["sha"])
    commits = commits_of(api, repository, number)
    merged_sha = change.get("merge_commit_sha") or change.get("squash_commit_sha") or head
    merged = {"mergeSha": merged_sha, "mergeTree": files.tree_of(api, repository, merged_sha)}
    return {
        "repository": repository,
        "number": number,
        "title": change["title"],
        "url": change["web_url"],
        "author": person(api, change["author"]["username"]),
        "source": change["source_branch"],
        "target": change["target_branch"],
        "head": head,
        "labels": sorted(change["labels"]),
        "draft": bool(change.get("draft", change.get("work_in_progress"))),
        "fork": change["source_project_id"] != change["target_project_id"],
        "state": STATES[change["state"]],
        "tree": files.tree_of(api, repository, head),
        **_extent(api, repository, change),
        **_people(api, change, commits),
        **(merged if change["state"] == "merged" else {}),
    }


def person(api: Api, username: str) -> str:
    """A user name as everybody else knows it."""
    return BOT if username == api.account.login else username


def commits_of(api: Api, repository: str, number: int) -> list[Json]:
    """The newest commits of a change."""
    return list(islice(api.list(f"{change_path(repository, number)}/commits"), COMMITS))


def _extent(api: Api, repository: str, change: Json) -> dict[str, Any]:
    """How much it is, seen from where it branched off, as a reviewer sees it. Lines only where GitLab shows
    them all.
    """
    head = str(change["sha"])
    start = base_of(api, repository, change["target_branch"], head)
    diffs = files.diffs_between(api, repository, start, head)
    behind = change.get("diverged_commits_count")
    known = {} if behind is None else {"behind": behind}
    if diffs is None:
        return known | {
            "touchesPolicy": _policy_blob(api, repository, start) != _policy_blob(api, repository, head)
        }
    paths = {diff[side] for diff in diffs for side in ("old_path", "new_path")}
    return known | {"touchesPolicy": POLICY_FILE in paths, "paths": sorted(paths), **_lines(diffs)}


def _lines(diffs: list[Json]) -> dict[str, int]:
    if any(diff.get("too_large") or diff.get("collapsed") for diff in diffs):
        return {}
    lines = [line for diff in diffs for line in str(diff.get("diff") or "").splitlines()]
    counts = {"additions": "+", "deletions": "-"}
    return {name: sum(line.startswith(sign) for line in lines) for name, sign in counts.items()}


def _people(api: Api, change: Json, commits: list[Json]) -> dict[str, Any]:
    """Everybody with a part in the change. Addresses in commits are claims; who pushed is known."""
    addresses = Addresses(api)
    wrote = {commit[role] for commit in commits for role in ("author_email", "committer_email")}
    together = {address for commit in commits for address in CO_AUTHOR.findall(commit["message"])}
    co_authors = {addresses.login(address) for address in together}
    pushers, last = _pushers(api, change)
    committers = {addresses.login(address) for address in wrote} | co_authors | pushers
    told = [{"sha": commit["id"], "message": commit["message"]} for commit in commits[:TOLD]]
    said: dict[str, Any] = {
        "committers": sorted(committers),
        "coAuthors": sorted(co_authors),
        "commits": told,
    }
    return said | ({"lastPusher": last} if last else {})


def _pushers(api: Api, change: Json) -> tuple[set[str], str | None]:
    """Who pushed to the change's branch since it was made, and who pushed its head."""
    found, last = set[str](), None
    where = f"{project(str(change['source_project_id']))}/events"
    for event in islice(api.list(where, action="pushed", sort="desc"), PUSHES):
        push = event.get("push_data") or {}
        if push.get("ref") != change["source_branch"] or push.get("ref_type") != "branch":
            continue
        who = person(api, event["author_username"])
        if push.get("action") != "removed":
            found.add(who)
        if push.get("commit_to") == change["sha"] and last is None:
            last = who
        if push.get("action") == "created":
            break
    return found, last


def _policy_blob(api: Api, repository: str, revision: str) -> str | None:
    headers = api.head(f"{project(repository)}/repository/files/{segment(POLICY_FILE)}", ref=revision)
    return headers["X-Gitlab-Blob-Id"] if headers else None
