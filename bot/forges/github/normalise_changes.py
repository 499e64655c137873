"""Pull requests, what is said about them, and merge queues, in our words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.domain import payloads as p
from bot.forges.github.said import GHOST, Json, Said, branch_name
from bot.forges.port import RepositoryFact
from bot.messages import BOT

CHANGE_TYPES = {
    "opened": "ChangeOpened",
    "synchronize": "ChangeUpdated",
    "edited": "ChangeUpdated",
    "converted_to_draft": "ChangeUpdated",
    "ready_for_review": "ChangeUpdated",
    "reopened": "ChangeReopened",
    "labeled": "ChangeLabelled",
    "unlabeled": "ChangeLabelled",
    "closed": "ChangeClosed",
}
COMMENT_TYPES = {"created": "CommentCreated", "edited": "CommentEdited", "deleted": "CommentDeleted"}
THREAD = "thread:"
"""Before the id of a comment in a review thread: GitHub counts these apart, and keeps them elsewhere."""
UNKNOWN = frozenset({"committers"})
"""Left out of what pull requests say of themselves; `GatherFacts` reads it."""
OWN = frozenset({"edited", "labeled", "unlabeled"})
QUEUED = re.compile(r"/pr-([1-9]\d*)-[0-9a-f]{40}$")
"""How a merge queue names the branch of a group: `gh-readonly-queue/main/pr-7-<sha of what is before it>`."""
STATES = {"approved": "approved", "changes_requested": "changes_requested", "commented": "commented"}


def source_of(pull: Json) -> str:
    """The branch of a change; one in a fork with its owner, as `octocat:patch-1`.

    No branch here can have that name, so a fork never gets hold of a trace by naming its branch alike.
    """
    head = pull["head"]
    owner = (head.get("user") or {}).get("login", GHOST)
    return f"{owner}:{head['ref']}" if _is_fork(pull) else str(head["ref"])


def _is_fork(pull: Json) -> bool:
    here, there = pull["base"].get("repo") or {}, pull["head"].get("repo") or {}
    return bool(here.get("id") != there.get("id"))  # a fork that was deleted has no repository any more


def change_of(said: Said, pull: Json) -> dict[str, Any]:
    """The fields of `Change`."""
    return {
        "repository": said.repository,
        "number": pull["number"],
        "title": pull["title"],
        "url": pull["html_url"],
        "author": said.person(pull["user"]),
        "source": source_of(pull),
        "target": pull["base"]["ref"],
        "head": pull["head"]["sha"],
        "labels": sorted(label["name"] for label in pull.get("labels") or []),
        "draft": bool(pull.get("draft")),
        "fork": _is_fork(pull),
        # Who moved the head is told by the one action that says so.
        "lastPusher": said.sender if said.action == "synchronize" else None,
    }


def _hints(said: Said, pull: Json) -> list[str]:
    return said.hints(changes=[pull["number"]], branch=source_of(pull), sha=pull["head"]["sha"])


def pull_request(said: Said) -> list[RepositoryFact]:
    """A change was opened, moved, labelled, closed, merged, or somebody was asked for a review."""
    pull = said.json["pull_request"]
    if said.action in {"review_requested", "review_request_removed"}:
        return _review_requested(said, pull)
    # The bot's own edit of a body is nothing new to it; told, it would look again, edit again, and so on.
    if said.action not in CHANGE_TYPES or (said.action in OWN and said.by_us):
        return []
    if said.action == "closed" and pull.get("merged"):
        return [_merged(said, pull)]
    data = p.Change.model_validate(change_of(said, pull))
    hints = _hints(said, pull)
    return [said.fact(CHANGE_TYPES[said.action], data, hints, new_trace=True, unknown=UNKNOWN)]


def _merged(said: Said, pull: Json) -> RepositoryFact:
    """GitHub names no trees here; whether what was merged is what was approved is read by `GatherFacts`."""
    merged = {"mergeSha": pull["merge_commit_sha"], "mergedBy": said.person(pull.get("merged_by"))}
    data = p.ChangeMerged.model_validate(change_of(said, pull) | merged)
    return said.fact("ChangeMerged", data, _hints(said, pull), new_trace=True, unknown=UNKNOWN)


def _review_requested(said: Said, pull: Json) -> list[RepositoryFact]:
    data = p.ReviewRequested(
        repository=said.repository,
        change=pull["number"],
        reviewers=tuple(said.person(user) for user in pull.get("requested_reviewers") or []),
        teams=tuple(team["slug"] for team in pull.get("requested_teams") or []),
    )
    return [said.fact("ReviewRequested", data, _hints(said, pull))]


def issue_comment(said: Said) -> list[RepositoryFact]:
    """A comment on a change or an issue; GitHub keeps both alike, and names no branch or head."""
    issue = said.json["issue"]
    number = issue["number"]
    on_change = issue.get("pull_request") is not None
    hints = said.hints(changes=[number]) if on_change else []
    return _comment(said, number, hints, on="change" if on_change else "issue")


def review_comment(said: Said) -> list[RepositoryFact]:
    """A comment in a review thread."""
    pull = said.json["pull_request"]
    return _comment(said, pull["number"], _hints(said, pull), on="thread")


def _comment(said: Said, number: int, hints: list[str], *, on: str) -> list[RepositoryFact]:
    comment = said.json["comment"]
    # Sticky comments are edited in place all the time, by the bot: that is no news to it.
    if said.action not in COMMENT_TYPES or (said.action == "edited" and said.by_us):
        return []
    user = comment.get("user") or {}
    data = p.Comment.model_validate(
        {
            "repository": said.repository,
            "change": number,
            "on": on,
            "commentId": f"{THREAD if on == 'thread' else ''}{comment['id']}",
            "author": said.person(user),
            "authorIsBot": user.get("type") == "Bot" or said.person(user) == BOT,
            "body": comment.get("body") or "",
            "createdAt": comment["created_at"],
            "url": comment["html_url"],
        }
    )
    return [said.fact(COMMENT_TYPES[said.action], data, hints, new_trace=on != "issue")]


def review(said: Said) -> list[RepositoryFact]:
    """A review was given, or no longer counts."""
    given, pull = said.json["review"], said.json["pull_request"]
    common = {
        "repository": said.repository,
        "change": pull["number"],
        "reviewId": str(given["id"]),
        "author": said.person(given.get("user")),
        "revision": given.get("commit_id") or "",
    }
    if said.action == "dismissed":
        gone = p.ReviewDismissed.model_validate(common | {"dismissedBy": said.sender})
        return [said.fact("ReviewDismissed", gone, _hints(said, pull))]
    state = STATES.get(str(given["state"]).lower())
    if said.action != "submitted" or state is None:
        return []
    more = {"state": state, "body": given.get("body") or "", "submittedAt": given["submitted_at"]}
    data = p.Review.model_validate(common | more)
    return [said.fact("ReviewSubmitted", data, _hints(said, pull), new_trace=True)]


def merge_group(said: Said) -> list[RepositoryFact]:
    """A merge queue wants to know whether a group may be merged."""
    if said.action != "checks_requested":
        return []
    group = said.json["merge_group"]
    data = p.MergeGroupRequested(
        repository=said.repository,
        revision=group["head_sha"],
        target=branch_name(group["base_ref"]),
        base=group["base_sha"],
        branch=branch_name(group["head_ref"]),
        changes=tuple(int(number) for number in QUEUED.findall(group["head_ref"])),
    )
    return [said.fact("MergeGroupRequested", data, said.hints(changes=data.changes))]


EVENTS: dict[str, Callable[[Said], list[RepositoryFact]]] = {
    "pull_request": pull_request,
    "issue_comment": issue_comment,
    "pull_request_review_comment": review_comment,
    "pull_request_review": review,
    "merge_group": merge_group,
}
