"""Webhook calls that never arrived. GitLab does not repeat a call that failed.

A hook of the bot's keeps a list of its calls for seven days (https://docs.gitlab.com/api/project_webhooks/):
those that failed are told as they were, under the id that they would have if sent again. Where the list is
not to be had (the bot is no Maintainer, GitLab is older than 17.3) or the hook was disabled, the pushes and
the changes since then are told from what the project shows now, under an id that follows from what is told,
and so are comments on changes: one that did arrive is known by its own id, and commands nothing twice. A
project whose hooks the bot sees, and none of which is its own, is not connected: nothing is told of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from bot.domain.errors import Permanent
from bot.forges.gitlab.client import Answered, Api, Json, project
from bot.forges.gitlab.said import ZERO, moment
from bot.forges.port import Delivery, Missed

FAILURES = ("client_failure", "server_failure")
UNANSWERED, NEWEST = "internal error", 200
"""A call without an answer cannot be asked for: it is looked for among the newest ones."""
EVENTS_PAGE = 20
"""GitLab answers 400 to more of them on a page."""
ACTIVITY_LAG = timedelta(hours=1)
"""GitLab writes down a project's last activity once an hour."""
WORKING = "executable"
ACTIONS = {"opened": "update", "locked": "update", "closed": "close", "merged": "merge"}


def missed(api: Api, base_url: str, since: datetime) -> Iterator[Missed]:
    """Calls that failed, of every project that the bot is a member of. Raises Retryable."""
    after = (since - ACTIVITY_LAG).astimezone(UTC).isoformat()
    url = f"{base_url.rstrip('/')}/webhooks/gitlab"
    for known in api.list("/projects", membership="true", archived="false", last_activity_after=after):
        yield from _of_project(api, known, url, since)


def _of_project(api: Api, known: Json, url: str, since: datetime) -> Iterator[Missed]:
    where = project(known["path_with_namespace"])
    hooks = _seen(api, f"{where}/hooks")
    broken = hooks is None
    for hook in (one for one in hooks or [] if one["url"] == url):
        failed = _failed(api, f"{where}/hooks/{hook['id']}/events")
        broken = broken or failed is None or hook.get("alert_status", WORKING) != WORKING
        for event in failed or []:
            yield from _as_it_was(known, event)
    if broken:
        yield from _pushes(api, known, since)
        yield from _changes(api, known, since)
        yield from _comments(api, known, since)


def _seen(api: Api, path: str, *, most: int | None = None, **query: str | int) -> list[Json] | None:
    """A list; None when it is not there, or not for the bot."""
    try:
        return list(islice(api.list(path, **query), most))
    except Answered:
        return None
    except Permanent as refused:
        if refused.reason_code != "Forbidden":
            raise
        return None


def _failed(api: Api, path: str) -> list[Json] | None:
    """The calls that failed, the oldest first; None when the list is not to be had."""
    found = [_seen(api, path, status=status, per_page=EVENTS_PAGE) for status in FAILURES]
    newest = _seen(api, path, most=NEWEST, per_page=EVENTS_PAGE)
    if newest is None:
        return None
    found.append([event for event in newest if event.get("response_status") == UNANSWERED])
    events = {event["id"]: event for one in found for event in one or []}
    return [events[number] for number in sorted(events)]


def _as_it_was(known: Json, event: Json) -> Iterator[Missed]:
    said = event.get("request_data") or {}
    if not said or "oversize" in said:  # more than GitLab keeps
        return
    headers = {name.lower(): str(value) for name, value in (event.get("request_headers") or {}).items()}
    told = {name: headers[name] for name in ("x-gitlab-event", "idempotency-key") if name in headers}
    yield _missed(known, told.get("idempotency-key") or f"hook-event-{event['id']}", told, said)


def _missed(known: Json, delivery_id: str, headers: Mapping[str, str], said: Json) -> Missed:
    delivery = Delivery(delivery_id, str(known["path_with_namespace"]))
    return Missed(delivery, headers, json.dumps(said, ensure_ascii=False).encode())


def _pushes(api: Api, known: Json, since: datetime) -> Iterator[Missed]:
    for event in _events(api, known, "pushed", since):
        if push := event.get("push_data"):
            yield _missed(known, f"push-event-{event['id']}", {}, _push(api, known, event, push))


def _events(api: Api, known: Json, action: str, since: datetime) -> list[Json]:
    """What happened in a project, the oldest first (https://docs.gitlab.com/api/events/)."""
    # `after` is a day, and that day is left out.
    day = (since.astimezone(UTC) - timedelta(days=1)).date().isoformat()
    where = f"{project(known['path_with_namespace'])}/events"
    listed = _seen(api, where, action=action, after=day, sort="asc") or []
    return [event for event in listed if moment(event["created_at"]) >= since]


def _push(api: Api, known: Json, event: Json, push: Json) -> Json:
    kind, folder = ("tag_push", "tags") if push["ref_type"] == "tag" else ("push", "heads")
    before, after = push.get("commit_from") or ZERO, push.get("commit_to") or ZERO
    commits = _commits(api, known, before, after) if kind == "push" and after != ZERO else []
    return {
        "object_kind": kind,
        "ref": f"refs/{folder}/{push['ref']}",
        "before": before,
        "after": after,
        "checkout_sha": after,
        "user_username": event["author_username"],
        "project": _project(known),
        "commits": commits,
        "total_commits_count": push.get("commit_count") or len(commits),
    }


def _commits(api: Api, known: Json, before: str, after: str) -> list[Json]:
    """The commits of a push; the last one stands for all paths, which are told of the whole push at once."""
    where = f"{project(known['path_with_namespace'])}/repository"
    try:
        if before == ZERO:
            commit = api.get(f"{where}/commits/{after}", stats="false")
            diffs = list(api.list(f"{where}/commits/{after}/diff"))
            listed = [commit]
        else:
            compared = api.get(f"{where}/compare", **{"from": before, "to": after})
            listed, diffs = compared["commits"], compared["diffs"]
    except Answered:
        return []  # somebody has rewritten the branch since
    told: list[Json] = [{"id": one["id"], "message": one["message"]} for one in listed]
    if told:
        told[-1]["modified"] = sorted({diff[side] for diff in diffs for side in ("old_path", "new_path")})
    return told


def _changes(api: Api, known: Json, since: datetime) -> Iterator[Missed]:
    where = f"{project(known['path_with_namespace'])}/merge_requests"
    query: Json = {"scope": "all", "state": "all", "updated_after": since.astimezone(UTC).isoformat()}
    for change in _seen(api, where, order_by="updated_at", sort="asc", **query) or []:
        said = _change(known, change)
        told = json.dumps(said["object_attributes"] | {"labels": said["labels"]}, sort_keys=True)
        digest = hashlib.sha256(f"{known['path_with_namespace']}\n{told}".encode()).hexdigest()
        yield _missed(known, f"change-{digest[:40]}", {}, said)


def _change(known: Json, change: Json) -> Json:
    actor = change.get({"merged": "merged_by", "closed": "closed_by"}.get(change["state"], "")) or {}
    kept = ("iid", "title", "source_branch", "target_branch", "source_project_id", "target_project_id")
    sha = str(change["sha"])
    return {
        "object_kind": "merge_request",
        "user": actor,
        "project": _project(known),
        "labels": [{"title": label} for label in change["labels"]],
        "assignees": [change["author"]],
        "object_attributes": {
            **{name: change[name] for name in kept},
            "author_id": change["author"]["id"],
            "url": change["web_url"],
            "draft": bool(change.get("draft")),
            "last_commit": {"id": sha, "message": ""},
            "action": ACTIONS[change["state"]],
            "oldrev": sha,
            "merge_commit_sha": change.get("merge_commit_sha") or change.get("squash_commit_sha"),
        },
    }


def _comments(api: Api, known: Json, since: datetime) -> Iterator[Missed]:
    for event in _events(api, known, "commented", since):
        note = event.get("note") or {}
        if note.get("noteable_type") != "MergeRequest" or note.get("system"):
            continue
        where = f"{project(known['path_with_namespace'])}/merge_requests/{note['noteable_iid']}"
        if change := api.find(where):
            yield _missed(known, f"comment-event-{event['id']}", {}, _comment(known, note, change))


def _comment(known: Json, note: Json, change: Json) -> Json:
    about = _change(known, change)["object_attributes"]
    return {
        "object_kind": "note",
        "user": note["author"],
        "project": _project(known),
        "object_attributes": {
            "id": note["id"],
            "note": note["body"],
            "noteable_type": "MergeRequest",
            "type": note.get("type"),
            "created_at": note["created_at"],
            "system": False,
            "action": "create",
            "url": f"{change['web_url']}#note_{note['id']}",
        },
        "merge_request": {name: about[name] for name in about if name not in {"action", "oldrev"}},
    }


def _project(known: Json) -> Json:
    return {"path_with_namespace": known["path_with_namespace"], "default_branch": known["default_branch"]}
