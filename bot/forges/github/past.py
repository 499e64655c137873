"""The last merged changes of a repository: what a policy could have asked about them."""

from __future__ import annotations

from typing import Any, Literal

from bot.domain import payloads as p
from bot.forges.github import queries
from bot.forges.github.account import READ, Needs
from bot.forges.github.ground import Ground
from bot.forges.github.read_change import actor, parts_of

Json = dict[str, Any]
WISHES: Needs = {"checks": "read", "actions": "read"}
ENDED: dict[str, Literal["passed", "failed"]] = {
    "SUCCESS": "passed",
    "FAILURE": "failed",
    "TIMED_OUT": "failed",
    "STARTUP_FAILURE": "failed",
}


def merged(ground: Ground, repository: str, most: int) -> tuple[p.PastChange, ...]:
    """The newest first. What the bot may not see of their runs is unknown."""
    owner, _, name = repository.partition("/")
    wanted = {"owner": owner, "name": name, "most": most}
    said = ground.client.graphql(repository, queries.PAST, wanted, needs=READ, wishes=WISHES)
    found = ((said["data"].get("repository") or {}).get("pullRequests") or {}).get("nodes") or []
    return tuple(_past(ground, pull) for pull in found)


def _past(ground: Ground, pull: Json) -> p.PastChange:
    parts = parts_of(ground, [node["commit"] for node in pull["commits"]["nodes"]])
    reviews = (pull["latestOpinionatedReviews"] or {}).get("nodes") or []
    return p.PastChange(
        number=pull["number"],
        title=pull["title"],
        author=actor(ground, pull["author"]),
        merged_by=actor(ground, pull["mergedBy"]),
        head=pull["headRefOid"],
        labels=tuple(sorted(label["name"] for label in pull["labels"]["nodes"])),
        committers=tuple(sorted(parts.authors | parts.co_authors)),
        approvers=tuple(
            actor(ground, review["author"])
            for review in reviews
            if review["state"] == "APPROVED" and (review["commit"] or {}).get("oid") == pull["headRefOid"]
        ),
        tests=_tests(pull),
    )


def _tests(pull: Json) -> Literal["passed", "failed", "unknown"]:
    """How the runs of GitHub Actions on the last head ended."""
    tip = pull["tip"]["nodes"][0]["commit"] if pull["tip"]["nodes"] else {}
    suites = (tip.get("checkSuites") or {}).get("nodes") or []
    ended = {ENDED[one["conclusion"]] for one in suites if one["workflowRun"] and one["conclusion"] in ENDED}
    return "failed" if "failed" in ended else "passed" if ended else "unknown"
