"""Webhook calls that never arrived.

An App can ask GitHub for the calls it made, and for what was in those that failed. The user of a token
cannot, unless every repository is theirs; for them the changes of the repositories that traces live in are
read, and each head that they have is told once. So with a token a lost push is found, a lost comment is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.domain.errors import Retryable
from bot.forges.github.errors import Answered
from bot.forges.github.ground import MISSING, Ground
from bot.forges.port import Delivery, Missed

Json = dict[str, Any]
NEXT = re.compile(r'[?&]cursor=([^&>"]+)[^>]*>;\s*rel="next"')
MOST_PAGES, PAGE = 100, 100
FAILED = 400


def missed(ground: Ground, since: datetime) -> Iterator[Missed]:
    """What happened since then and may never have been delivered, the oldest first. Raises Retryable."""
    try:
        yield from _undelivered(ground, since) if ground.client.is_app else _heads(ground, since)
    except Answered as error:
        raise Retryable(f"GitHub does not tell which calls failed: {error.message}") from error


def _undelivered(ground: Ground, since: datetime) -> Iterator[Missed]:
    attempts = list(_attempts(ground, since))
    arrived = {one["guid"] for one in attempts if 0 < int(one["status_code"]) < FAILED}
    told: set[str] = set()
    for one in reversed(attempts):
        if one["guid"] in arrived | told:
            continue
        told.add(one["guid"])
        said = ground.client.as_app(f"/app/hook/deliveries/{one['id']}", {}).json
        yield _call(one["guid"], one["event"], said["request"]["payload"])


def _attempts(ground: Ground, since: datetime) -> Iterator[Json]:
    """Every attempt since then, the newest first; a call that was made again has its old `guid`."""
    params: dict[str, str | int] = {"per_page": PAGE}
    for _ in range(MOST_PAGES):
        answer = ground.client.as_app("/app/hook/deliveries", params)
        for one in answer.json:
            if datetime.fromisoformat(one["delivered_at"]) < since:
                return
            yield one
        following = NEXT.search(answer.headers.get("link", ""))
        if following is None:
            return
        params["cursor"] = following[1]


def _call(delivery_id: str, event: str, payload: Json) -> Missed:
    repository = (payload.get("repository") or {}).get("full_name") or delivery_id
    headers = {"x-github-event": event, "x-github-delivery": delivery_id, "content-type": "application/json"}
    return Missed(Delivery(delivery_id, repository), headers, json.dumps(payload).encode())


def _heads(ground: Ground, since: datetime) -> Iterator[Missed]:
    for repository in ground.known_repositories():
        params = {"state": "all", "sort": "updated", "direction": "desc", "per_page": PAGE}
        try:
            pulls = ground.client.get(repository, "/pulls", params=params)
        except Answered as error:
            if error.status == MISSING:  # deleted, or hidden from the bot: the others go on
                continue
            raise
        recent = [pull for pull in pulls if datetime.fromisoformat(pull["updated_at"]) >= since]
        for pull in reversed(recent):
            yield _as_told(repository, pull)


def _as_told(repository: str, pull: Json) -> Missed:
    """A change as a call would tell it. By its head, so that it is told once: the bot's own comments on a
    change update it as well. Who did it is not known, and so it is nobody.
    """
    merged = bool(pull.get("merged_at"))
    state = "merged" if merged else pull["state"]
    payload = {
        "action": "edited" if state == "open" else "closed",
        "number": pull["number"],
        "pull_request": pull | {"merged": merged},
        "repository": pull["base"]["repo"],
        "sender": None,
    }
    guid = f"read-{repository}-{pull['number']}-{pull['head']['sha'][:12]}-{state}"
    return _call(guid[-200:], "pull_request", payload)
