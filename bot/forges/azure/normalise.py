"""Service hook calls of Azure DevOps in our words. Pure: a delivery kept today can be read again tomorrow.

By subject: pushes and repositories here, changes and what is said on them in `said_changes`, runs in
`said_runs`.
Work items, classic releases, TFVC and team rooms are no repository's facts: they are taken and left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bot.domain import payloads as p
from bot.domain.errors import Invalid
from bot.forges.azure import gates, said_changes, said_runs
from bot.forges.azure.deliveries import CHECK
from bot.forges.azure.names import HEADS, TAGS, ZERO, People
from bot.forges.azure.said import ABOUT, KINDS, Json, Said
from bot.forges.port import RepositoryFact
from bot.forges.trailers import trace_of


def normalise(headers: Mapping[str, str], body: bytes, people: People) -> list[RepositoryFact]:
    """The facts in a delivery; none for an event unknown to us. Raises Invalid for what cannot be read."""
    try:
        whole = json.loads(body)
        function = EVENTS.get(whole["eventType"])
        return function(Said(whole, people, _about(headers))) if function else []
    except ValidationError as error:
        raise Invalid(
            "UnreadableDelivery", f"not a delivery of Azure DevOps: {error.errors()[0]['msg']}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid("UnreadableDelivery", f"not a delivery of Azure DevOps: {error!r}") from error


def _about(headers: Mapping[str, str]) -> str:
    said = next((value for name, value in headers.items() if name.lower() == ABOUT), "")
    return said if said in KINDS else ""


def _push(said: Said) -> list[RepositoryFact]:
    """One push may move several refs; a branch, a tag and a deletion are told one by one."""
    updates = said.resource["refUpdates"]
    found = [_update(said, update, alone=len(updates) == 1) for update in updates]
    return [fact for fact in found if fact is not None]


def _update(said: Said, update: Json, *, alone: bool) -> RepositoryFact | None:
    ref, before, after = update["name"], update["oldObjectId"], update["newObjectId"]
    commits = said.resource.get("commits") or []
    moved = {
        "repository": said.repository,
        "before": before,
        "after": after,
        "pusher": said.person(said.resource["pushedBy"]),
    }
    trace = _trace(commits, after)
    sha = before if after == ZERO else after
    if ref.startswith(TAGS):
        tag = p.TagPushed.model_validate(moved | {"tag": ref.removeprefix(TAGS)})
        hints = said.hints(sha=sha)
        return said.fact("TagPushed", tag, hints, actor=tag.pusher, new_trace=False, trace_id=trace)
    if not ref.startswith(HEADS):
        return None
    branch = ref.removeprefix(HEADS)
    hints = said.hints(branch=branch, sha=sha)
    if after == ZERO:
        gone = p.BranchDeleted.model_validate(moved | {"branch": branch})
        return said.fact("BranchDeleted", gone, hints, actor=gone.pusher, new_trace=False)
    # Which of several refs a commit came with is not told, but for the one that a ref is at now.
    mine = commits if alone else [commit for commit in commits if commit["commitId"] == after]
    about = {
        "branch": branch,
        "defaultBranch": said.default_branch,
        "messages": [commit.get("comment", "") for commit in reversed(mine)],
        "cut": True,
    }  # paths are never told: whoever needs them has to look
    pushed = p.Pushed.model_validate(moved | about)
    return said.fact("Pushed", pushed, hints, actor=pushed.pusher, trace_id=trace)


def _trace(commits: Sequence[Json], sha: str) -> str | None:
    message = next((commit.get("comment", "") for commit in commits if commit["commitId"] == sha), "")
    return trace_of(message)


def _renamed(said: Said) -> list[RepositoryFact]:
    about = said.resource.get("repository") or said.resource
    project = (about.get("project") or said.resource.get("project") or {})["name"]
    names = {key: said.resource.get(key) or about.get(key) for key in ("oldName", "newName")}
    data = p.RepositoryRenamed(
        repository=f"{project}/{names['newName'] or about['name']}", previous=f"{project}/{names['oldName']}"
    )
    return [said.fact("RepositoryRenamed", data, [], actor="", new_trace=False, repository=data.repository)]


EVENTS: dict[Any, Callable[[Said], list[RepositoryFact]]] = {
    "git.push": _push,
    CHECK: gates.asked,
    "git.repo.renamed": _renamed,
    "git.repository.renamed": _renamed,
    **said_changes.EVENTS,
    **said_runs.EVENTS,
}
