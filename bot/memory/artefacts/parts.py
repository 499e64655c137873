"""`SBOM.json`: what a release is made of, under which licences, as far as the log keeps it (Release Manager).

The list itself stays with whoever made it; `digest` tells which file it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.memory.layout import shared
from bot.memory.text import as_json
from bot.memory.trail import digest, head, items, mapping, moment, of, text


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, once there is a parts list; the newest first."""
    lists = [event for event in of(events, "pointsman.EvidenceAdded") if mapping(event.data.get("parts"))]
    if lists:
        data = head(state) | {"version": state.version, "lists": [_list(event) for event in reversed(lists)]}
        yield shared(state, "SBOM.json"), as_json(data)


def _list(event: Event) -> dict[str, Any]:
    parts = mapping(event.data.get("parts"))
    return {
        "revision": text(event.data.get("revision")),
        "name": text(event.data.get("name")),
        "digest": text(event.data.get("digest")),
        "source": text(event.data.get("source")),
        "specVersion": text(parts.get("specVersion")),
        "components": parts.get("total"),
        "licences": [mapping(kind) for kind in items(parts.get("licences"))],
        "addedAt": moment(event),
        "eventId": event.id,
        "signature": digest(event),
    }
