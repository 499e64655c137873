"""What a service hook call is known by, read from its body once that is known to be genuine. Pure.

There is no delivery header. A retry repeats the event's `id`; two subscriptions to the same event repeat it
as well, and their calls are one delivery for us. Where the content names the fact for good (a push, a new
change, its end, a comment in one wording), the delivery is called after that: so a call that never came can
be told from what the forge says today (missed.py), and is still stored once when it comes after all.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from bot.forges.port import Delivery

Json = dict[str, Any]
PRINTABLE = re.compile(r"[\x21-\x7e]{1,200}")
PUSH, CREATED, UPDATED = "git.push", "git.pullrequest.created", "git.pullrequest.updated"
COMMENT = "ms.vss-code.git-pullrequest-comment-event"
CHECK = "pointsman.environment-check"
"""What an environment check is told to call itself (gates.py)."""
THREAD = re.compile(r"/threads/(\d+)", re.IGNORECASE)


def delivery(body: bytes) -> Delivery:
    """Id and repository of a genuine body; of one that cannot be read, its digest."""
    digest = hashlib.sha256(body).hexdigest()
    try:
        said = json.loads(body)
        known_by = _by_content(said) or _by_event(said) or digest
        return Delivery(known_by if PRINTABLE.fullmatch(known_by) else digest, repository_of(said) or digest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Delivery(digest, digest)


def repository_of(said: Json) -> str:
    """`project/repository` of a body, or an empty text."""
    resource = said["resource"]
    repository = resource.get("repository") or (resource.get("pullRequest") or {}).get("repository") or {}
    project = (repository.get("project") or resource.get("project") or {}).get("name")
    name = repository.get("name")
    return f"{project}/{name}" if project and name else ""


def thread_of(comment: Json) -> str:
    """The number of a comment's thread, which stands in its links alone."""
    links = comment.get("_links") or {}
    for name in ("threads", "self"):
        found = THREAD.search(str((links.get(name) or {}).get("href") or ""))
        if found:
            return found[1]
    return ""


def _by_content(said: Json) -> str:
    kind, resource = said.get("eventType"), said["resource"]
    if kind == PUSH:
        return f"push:{resource['repository']['id']}:{resource['pushId']}"
    if kind == CREATED:
        return f"created:{resource['repository']['id']}:{resource['pullRequestId']}"
    if kind == COMMENT:
        return _comment(resource)
    if kind == CHECK:
        return f"check:{resource['planId']}:{resource['taskInstanceId']}"
    if kind == UPDATED and resource.get("closedDate") and resource["status"] != "active":
        ended = str(resource["closedDate"])[:19]
        return f"ended:{resource['repository']['id']}:{resource['pullRequestId']}:{ended}"
    return ""


def _comment(resource: Json) -> str:
    comment, change = resource["comment"], resource["pullRequest"]
    # Whole seconds: the forge leaves zeros at the end of a fraction out, and its SDK digits after the sixth.
    thread, wording = thread_of(comment), str(comment.get("lastContentUpdatedDate") or "")[:19]
    if not thread or not wording:
        return ""
    gone = ":deleted" if comment.get("isDeleted") else ""
    return (
        f"comment:{change['repository']['id']}:{change['pullRequestId']}"
        f":{thread}.{comment['id']}:{wording}{gone}"
    )


def _by_event(said: Json) -> str:
    if said.get("id"):
        return str(said["id"])
    if said.get("subscriptionId") and said.get("notificationId"):
        return f"{said['subscriptionId']}:{said['notificationId']}"
    return ""
