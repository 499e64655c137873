"""`changes/PullRequestMetadata.json`: the change and what became of it (Pull Request Creator)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.memory.layout import shared
from bot.memory.text import as_json
from bot.memory.trail import head, items, last, moment, of, text


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, once there is a change."""
    change = state.change
    opened = next(
        iter(of(events, "PullRequestCreated", "ChangeOpened", "ChangeUpdated", "ChangeReopened")), None
    )
    if change is None:
        return
    created = last(events, "PullRequestCreated")
    told = created.data if created else {}
    merged = last(events, "ChangeMerged")
    data = head(state) | {
        "agentId": "pull-request-creator" if created else None,
        "repository": text(change.get("repository")) or state.repository,
        "number": change.get("number"),
        "url": text(change.get("url")) or text(told.get("url")),
        "title": text(change.get("title")) or text(told.get("title")),
        "state": text(change.get("state")) or "open",
        "author": text(change.get("author")),
        "linkedBranches": {"source": text(change.get("source")), "target": text(change.get("target"))},
        "head": text(change.get("head")),
        "labels": items(change.get("labels")),
        "changelog": items(told.get("changelog")),
        "files": items(told.get("files")),
        "version": state.version,
        "mergeSha": change.get("mergeSha"),
        "mergedBy": change.get("mergedBy"),
        "createdAt": moment(opened),
        "mergedAt": moment(merged),
    }
    yield shared(state, "changes/PullRequestMetadata.json"), as_json(data)
