"""The last merged changes of a project: what a policy could have asked about them."""

from __future__ import annotations

from itertools import islice
from typing import Literal

from bot.domain import payloads as p
from bot.forges.gitlab.change_facts import commits_of, person
from bot.forges.gitlab.changes import change_path
from bot.forges.gitlab.client import Api, Json, project
from bot.forges.gitlab.people import Addresses

RESULTS: dict[str, Literal["passed", "failed"]] = {"success": "passed", "failed": "failed"}


def merged(api: Api, repository: str, most: int) -> tuple[p.PastChange, ...]:
    """The newest first."""
    query = {"state": "merged", "order_by": "updated_at", "sort": "desc", "per_page": min(most, 100)}
    addresses = Addresses(api)
    found = islice(api.list(f"{project(repository)}/merge_requests", **query), most)
    changes = sorted(found, key=lambda change: change.get("merged_at") or "", reverse=True)
    return tuple(_past(api, repository, change, addresses) for change in changes)


def _past(api: Api, repository: str, change: Json, addresses: Addresses) -> p.PastChange:
    where = change_path(repository, change["iid"])
    wrote = {
        commit[role]
        for commit in commits_of(api, repository, change["iid"])
        for role in ("author_email", "committer_email")
    }
    approvals = api.get(f"{where}/approvals").get("approved_by") or []
    by = change.get("merge_user") or change.get("merged_by") or {}
    return p.PastChange(
        number=change["iid"],
        title=change["title"],
        author=person(api, change["author"]["username"]),
        merged_by=person(api, by.get("username", "")),
        head=change["sha"],
        labels=tuple(sorted(change["labels"])),
        committers=tuple(sorted({addresses.login(address) for address in wrote})),
        approvers=tuple(sorted(person(api, one["user"]["username"]) for one in approvals)),
        tests=_tests(api, where, change["sha"]),
    )


def _tests(api: Api, where: str, head: str) -> Literal["passed", "failed", "unknown"]:
    """How the newest run of the last head ended."""
    runs = (run for run in api.list(f"{where}/pipelines") if run["sha"] == head)
    newest = next(runs, None)
    return RESULTS.get(newest["status"], "unknown") if newest else "unknown"
