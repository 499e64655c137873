"""`approvals/ApprovalRecords.yaml`: who decided what for which release, how, when and why (Release Manager).

A list, as in the example of seed 003: approvals, rejections, lifted freezes, each with its event's digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.domain.trace import TraceState
from bot.memory.layout import shared
from bot.memory.text import as_yaml
from bot.memory.trail import digest, head, moment, of, release_of, text

ENDS = {"ApprovalRevoked": "revoked", "ApprovalInvalidated": "invalidated"}


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, once somebody has decided something."""
    records = [record for event in events for record in _record(state, events, event)]
    if records:
        yield shared(state, "approvals/ApprovalRecords.yaml"), as_yaml(records)


def _record(state: TraceState, events: Sequence[Event], event: Event) -> Iterator[dict[str, Any]]:
    if event.type == "ApprovalGranted":
        yield _common(state, event, text(event.data.get("approver"))) | _ending(events, event)
    elif event.type == "FreezeOverridden":
        lifted = {"window": text(event.data.get("window")), "until": event.data.get("until")}
        yield _common(state, event, text(event.data.get("by"))) | {"decision": "freeze-overridden"} | lifted
    elif event.type == "ReleaseRejected" and event.actor:
        signed = {
            "rejectedBy": event.actor,
            "rejectedAt": moment(event),
            "approvedBy": None,
            "approvedAt": None,
        }
        yield _common(state, event, event.actor) | {"decision": "rejected"} | signed


def _common(state: TraceState, event: Event, who: str) -> dict[str, Any]:
    data = event.data
    reasons = data.get("reasons")
    said = text(data.get("comment")) or text(data.get("reason"))
    return {
        "releaseId": release_of(state, event),
        "approvedBy": who,
        "role": text(data.get("role")),
        "method": text(data.get("method")) or "command",
        "approvedAt": text(data.get("approvedAt")) or moment(event),
        "comment": said or ("; ".join(map(str, reasons)) if isinstance(reasons, (list, tuple)) else ""),
        "decision": "approved",
        **head(state, environment_of(event)),
        "version": text(data.get("version")) or state.version,
        "revision": text(data.get("revision")),
        "recordedAt": moment(event),
        "eventId": event.id,
        "signature": digest(event),
    }


def _ending(events: Sequence[Event], granted: Event) -> dict[str, Any]:
    """What became of an approval: it counts, or it was taken back by its giver or by a new revision."""
    names = ("environment", "revision", "approver")
    key = [granted.data.get(name) for name in names]
    for event in of(events, *ENDS):
        if event.sequence > granted.sequence and [event.data.get(name) for name in names] == key:
            reason = text(event.data.get("reason"))
            return {"status": ENDS[event.type], "endedAt": moment(event), "endedReason": reason}
    return {"status": "active"}
