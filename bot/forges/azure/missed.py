"""Service hook calls that never arrived.

Azure DevOps keeps what it sent and how it went: calls that failed are read from its notifications, as they
were. Subscriptions that fail too often are switched off; what happened in their repositories meanwhile is
read from the repositories, and told as the hook would have told it, under the same delivery ids
(deliveries.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.domain.model import rfc3339
from bot.forges.azure.client import Client
from bot.forges.azure.deliveries import COMMENT, CREATED, PUSH, UPDATED, delivery
from bot.forges.azure.names import Repository
from bot.forges.azure.place import Place
from bot.forges.azure.said import ABOUT
from bot.forges.port import Missed

DOOR = "/webhooks/azure"
OFF = {"disabledBySystem", "onProbation", "disabledByInactiveIdentity"}
MOST = 1000
COMMITS = 100
ANY = "all"
Json = dict[str, Any]


def missed(client: Client, since: datetime) -> Iterator[Missed]:
    """What failed, then what no subscription was awake for. Raises Retryable, Permanent, Refusal."""
    ours = [one for one in client.hooks.list_subscriptions(consumer_id="webHooks") or () if is_ours(one)]
    if ours:
        yield from _failed(client, ours, since)
    for place in _asleep(client, ours):
        yield from (_as_call(body) for body in _happened(place, since))


def is_ours(subscription: Any) -> bool:
    """Whether a subscription calls a bot's door."""
    url = (subscription.consumer_inputs or {}).get("url") or ""
    return str(url).partition("?")[0].rstrip("/").endswith(DOOR)


def _failed(client: Client, subscriptions: list[Any], since: datetime) -> Iterator[Missed]:
    kinds = {one.id: (one.publisher_inputs or {}).get("notificationType") or "" for one in subscriptions}
    query = client.model(
        "service_hooks",
        "NotificationsQuery",
        subscription_ids=list(kinds),
        min_created_date=since,
        result_type="failed",
        include_details=True,
        max_results=MOST,
    )
    found = client.hooks.query_notifications(query=query).results or ()
    for one in sorted(found, key=lambda one: one.created_date):
        event = one.details.event if one.details else None
        if event is not None and event.resource:
            yield _as_call(_event_body(one, event), kinds.get(one.subscription_id, ""))


def _event_body(notification: Any, event: Any) -> Json:
    return {
        "subscriptionId": notification.subscription_id,
        "notificationId": notification.id,
        "id": event.id,
        "eventType": event.event_type,
        "publisherId": event.publisher_id,
        "message": {"text": event.message.text if event.message else ""},
        "resource": event.resource,
        "resourceVersion": event.resource_version,
        "createdDate": rfc3339(event.created_date or notification.created_date),
    }


def _as_call(body: Json, about: str = "") -> Missed:
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"} | ({ABOUT: about} if about else {})
    return Missed(delivery(data), headers, data)


def _asleep(client: Client, subscriptions: list[Any]) -> list[Place]:
    """The repositories of subscriptions that are switched off, each once."""
    asleep = [one.publisher_inputs or {} for one in subscriptions if str(one.status) in OFF]
    wanted = {(one.get("projectId") or "", one.get("repository") or "") for one in asleep}
    places: dict[str, Place] = {}
    for project, repository in sorted(wanted):
        for found in client.git.get_repositories(project=project or None) or ():
            if repository in {"", found.id} and not found.is_disabled:
                name = Repository(found.project.name, found.name)
                places[str(name)] = Place(client, name)
    return list(places.values())


def _happened(place: Place, since: datetime) -> Iterator[Json]:
    """Pushes, changes and comments since then, each kind in its order."""
    repository = _repository(place)
    yield from _pushes(place, repository, since)
    criteria = place.model("GitPullRequestSearchCriteria", status=ANY)
    for change in _recent(place, criteria, since):
        said = _said_change(place, change, repository)
        if change.creation_date >= since:
            yield _body(CREATED, said, change.creation_date, "created a new pull request")
        yield from _comments(place, change, said, since)
        if change.closed_date and change.closed_date >= since:
            yield _body(UPDATED, said, change.closed_date, "updated the pull request")
        elif change.creation_date < since:
            yield _moved(said, change)


def _recent(place: Place, criteria: Any, since: datetime) -> Iterator[Any]:
    """Changes that may have changed: the open ones, and those that ended since."""
    for change in place.all_of("get_pull_requests", search_criteria=criteria):
        if str(change.status) == "active" or (change.closed_date and change.closed_date >= since):
            yield change


def _moved(said: Json, change: Any) -> Json:
    """An open change with the head it has now, told once for each head."""
    body = _body(UPDATED, said, change.creation_date, "updated the source branch of pull request")
    return body | {"id": f"seen:{said['repository']['id']}:{said['pullRequestId']}:{_head(said)}"}


def _head(said: Json) -> str:
    return str((said.get("lastMergeSourceCommit") or {}).get("commitId", ""))


def _body(kind: str, resource: Json, at: datetime, text: str) -> Json:
    return {
        "eventType": kind,
        "message": {"text": f" {text}"},
        "resource": resource,
        "createdDate": rfc3339(at),
    }


def _repository(place: Place) -> Json:
    about = place.about
    return {
        "id": about.id,
        "name": about.name,
        "defaultBranch": about.default_branch,
        "project": {"id": about.project.id, "name": about.project.name},
    }


def _pushes(place: Place, repository: Json, since: datetime) -> Iterator[Json]:
    criteria = place.model("GitPushSearchCriteria", from_date=since, include_ref_updates=True)
    listed = list(place.all_of("get_pushes", search_criteria=criteria))
    for one in sorted(listed, key=lambda one: one.push_id):
        if one.date < since:
            continue
        push = place.git("get_push", push_id=one.push_id, include_commits=COMMITS, include_ref_updates=True)
        resource = {
            "pushId": push.push_id,
            "repository": repository,
            "pushedBy": person(push.pushed_by),
            "refUpdates": [
                {"name": u.name, "oldObjectId": u.old_object_id, "newObjectId": u.new_object_id}
                for u in push.ref_updates or ()
            ],
            "commits": [{"commitId": c.commit_id, "comment": c.comment or ""} for c in push.commits or ()],
        }
        yield _body(PUSH, resource, push.date, "pushed")


def person(identity: Any) -> Json | None:
    """An identity of the API, as events have it."""
    if identity is None:
        return None
    fields = {
        "id": identity.id,
        "displayName": identity.display_name,
        "uniqueName": identity.unique_name,
        "descriptor": identity.descriptor,
        "isContainer": identity.is_container,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _said_change(place: Place, change: Any, repository: Json) -> Json:
    commits = {
        "lastMergeSourceCommit": change.last_merge_source_commit,
        "lastMergeCommit": change.last_merge_commit,
    }
    options = change.completion_options
    return {
        "repository": repository,
        "pullRequestId": change.pull_request_id,
        "status": str(change.status),
        "title": change.title,
        "createdBy": person(change.created_by),
        "closedBy": person(change.closed_by),
        "closedDate": rfc3339(change.closed_date) if change.closed_date else None,
        "sourceRefName": change.source_ref_name,
        "targetRefName": change.target_ref_name,
        "isDraft": bool(change.is_draft),
        "labels": [{"name": one.name, "active": one.active} for one in change.labels or ()],
        **{
            name: {"commitId": commit.commit_id, "comment": commit.comment or ""}
            for name, commit in commits.items()
            if commit
        },
        "forkSource": {} if change.fork_source is None else {"name": change.fork_source.name},
        "completionOptions": {"mergeCommitMessage": options.merge_commit_message or ""} if options else {},
        "_links": {"web": {"href": place.url(change.pull_request_id)}},
    }


def _comments(place: Place, change: Any, said: Json, since: datetime) -> Iterator[Json]:
    for thread in place.git("get_threads", pull_request_id=change.pull_request_id) or ():
        for comment in thread.comments or ():
            written = comment.last_content_updated_date or comment.published_date
            if written >= since and str(comment.comment_type) != "system":
                resource = {"comment": _said_comment(thread, comment), "pullRequest": said}
                yield _body(COMMENT, resource, written, "commented on pull request")


def _said_comment(thread: Any, comment: Any) -> Json:
    written = comment.last_content_updated_date or comment.published_date
    return {
        "id": comment.id,
        "author": person(comment.author),
        "content": comment.content or "",
        "publishedDate": rfc3339(comment.published_date),
        "lastContentUpdatedDate": rfc3339(written),
        "commentType": str(comment.comment_type or "text"),
        "isDeleted": bool(comment.is_deleted),
        "_links": {"threads": {"href": f"/threads/{thread.id}"}},
    }
