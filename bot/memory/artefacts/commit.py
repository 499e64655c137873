"""`commits/CommitMetadata.json`: the generated code's last commit, and all before it (Code Committer)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.memory.layout import shared
from bot.memory.text import as_json
from bot.memory.trail import head, items, moment, of, text


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, once there is a commit."""
    commits = [_commit(event) for event in of(events, "CommitReady")]
    if commits:
        data = head(state) | commits[-1] | {"agentId": "code-committer", "commits": commits}
        yield shared(state, "commits/CommitMetadata.json"), as_json(data)


def _commit(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "commitId": text(data.get("sha")),
        "version": text(data.get("version")),
        "repository": text(data.get("repository")),
        "branch": text(data.get("branch")),
        "tree": text(data.get("tree")),
        "parent": data.get("parent"),
        "message": text(data.get("message")),
        "changelog": items(data.get("changelog")),
        "files": items(data.get("files")),
        "signed": data.get("signed") is True,
        "committedAt": text(data.get("committedAt")) or moment(event),
        "eventId": event.id,
    }
