"""`timeline.yaml`: the milestones of a trace as a list, in the shape of Studio's timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.catalog import CATALOG
from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.domain.trace import TraceState
from bot.memory.layout import ALL, shared
from bot.memory.reasons import reasons_of
from bot.memory.text import as_yaml
from bot.memory.trail import head, items, last, moment, of, text, within

TECHNICAL = frozenset(
    {
        "AgentActionCompleted",
        "AgentActionStarted",
        "AgentSkillFailed",
        "AgentTaskAcknowledged",
        "AgentTaskCompleted",
        "AgentTaskScheduled",
        "FactsGathered",
        "StatusReported",
        "TriggerRequested",
        "pointsman.CoverageRecalled",
        "pointsman.VerdictChanged",
    }
)
"""How it is done, not what has happened."""
JUDGED = ("pointsman.VerdictChanged", "ReleaseApproved", "ReleaseDelayed", "ReleaseRejected")
USERS = ("approver", "by", "mergedBy", "pusher", "author")
REASONS = ("reason", "comment", "message", "title", "summary")


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file, from the first milestone on."""
    entries = [_entry(state, events, event) for event in events if event.type not in TECHNICAL]
    if entries:
        yield shared(state, "timeline.yaml"), as_yaml(entries)


def _entry(state: TraceState, events: Sequence[Event], event: Event) -> dict[str, Any]:
    entry = {
        "timestamp": moment(event),
        "agent": event.agent_id or _emitter(event.type),
        "event": event.type,
        "user": _user(event),
        "reason": _reason(events, event),
        "environment": environment_of(event) or ALL,
        "traceId": state.trace_id,
        "moduleId": head(state)["moduleId"],
        "sequence": event.sequence,
        "eventId": event.id,
    }
    return entry | _compliance(state, events, event)


def _compliance(state: TraceState, events: Sequence[Event], event: Event) -> dict[str, Any]:
    """What every line of a regulated release carries (seed 003, compliance logging strategy)."""
    earlier = [one for one in within(events, environment_of(event)) if one.sequence <= event.sequence]
    judged = last(earlier, *JUDGED)
    asked = state.module.get("complianceMode") is True
    if not asked and not (judged and judged.data.get("compliance") is True):
        return {}
    data = judged.data if judged else {}
    approvers = [text(one.data.get("approver")) for one in of(earlier, "ApprovalGranted")]
    return {
        "compliance": True,
        "policyVersion": text(data.get("policyVersion")) or text(data.get("policyDigest")),
        "approver": ", ".join(dict.fromkeys(approvers)) or None,
    }


def _emitter(type_: str) -> str:
    known = CATALOG.get(type_)
    return known.emitter.partition(",")[0] if known else type_.partition(".")[0]


def _user(event: Event) -> str | None:
    found = (text(event.data.get(name)) for name in USERS)
    approvers = ", ".join(map(str, items(event.data.get("approvers"))))
    return event.actor or next((name for name in found if name), "") or approvers or None


def _reason(events: Sequence[Event], event: Event) -> str:
    if event.type.startswith("Release"):
        reasons = "; ".join(reasons_of(events, event))
        if reasons:
            return reasons
    return next((said for said in (text(event.data.get(name)) for name in REASONS) if said), "")
