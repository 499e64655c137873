"""GitHub's webhooks in our words. Pure: a delivery kept today can be read again tomorrow.

Only the fields that are read here are looked at; everything else may change as it likes. What events say:
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import chain

from pydantic import ValidationError

from bot.domain import payloads as p
from bot.domain.errors import Invalid
from bot.forges.github import normalise_account, normalise_changes, normalise_checks
from bot.forges.github.said import ZERO, Said, branch_name
from bot.forges.port import RepositoryFact

MOST_COMMITS = 2048
"""Commits that a push names at most."""


def normalise(bot: str, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
    """The facts in a delivery; none for what nobody asked about. `bot` is the bot's login on GitHub.

    Raises Invalid for what cannot be read.
    """
    event = next((value for name, value in headers.items() if name.lower() == "x-github-event"), "")
    function = EVENTS.get(event)
    try:
        said = json.loads(body)
        return function(Said(event, said, bot)) if function else []
    except ValidationError as error:
        raise Invalid("UnreadableDelivery", f"not a {event} of GitHub: {error.errors()[0]['msg']}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("UnreadableDelivery", f"not a {event} of GitHub: {error!r}") from error


def push(said: Said) -> list[RepositoryFact]:
    """A branch or tag was made, moved or deleted. `create` and `delete` say the same, with less."""
    ref, before, after = said.json["ref"], said.json["before"], said.json["after"]
    head = said.json.get("head_commit") or {}
    common = {
        "repository": said.repository,
        "before": before,
        "after": after,
        "pusher": said.sender,
        "forced": bool(said.json.get("forced")),
    }
    gone = after == ZERO
    # An annotated tag is an object of its own; its commit is what traces know.
    sha = before if gone else (head.get("id") or after)
    if ref.startswith("refs/tags/"):
        tag = p.TagPushed.model_validate(common | {"tag": ref.removeprefix("refs/tags/")})
        return [said.fact("TagPushed", tag, said.hints(sha=sha))]
    hints = said.hints(branch=branch_name(ref), sha=sha)
    common |= {"branch": branch_name(ref), "defaultBranch": said.default_branch}
    if gone:
        return [said.fact("BranchDeleted", p.BranchDeleted.model_validate(common), hints)]
    commits = said.json.get("commits") or []
    common |= {
        "messages": [commit["message"] for commit in commits],
        "paths": _paths(commits),
        "cut": len(commits) >= MOST_COMMITS,
    }
    pushed = p.Pushed.model_validate(common)
    return [said.fact("Pushed", pushed, hints, new_trace=True, message=head.get("message", ""))]


def _paths(commits: list[dict[str, list[str]]]) -> list[str]:
    touched = (commit.get(how) or [] for commit in commits for how in ("added", "modified", "removed"))
    return sorted(set(chain.from_iterable(touched)))


EVENTS: dict[str, Callable[[Said], list[RepositoryFact]]] = {
    "push": push,
    **normalise_changes.EVENTS,
    **normalise_checks.EVENTS,
    **normalise_account.EVENTS,
}
