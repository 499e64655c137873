"""Why a release was approved, delayed or rejected, in the release manager's sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.memory.trail import items, last, mapping, text, within

VERDICT = "pointsman.VerdictChanged"
BLOCKING = frozenset({"delayed", "rejected"})


def reasons_of(events: Sequence[Event], event: Event) -> list[str]:
    """As said with the decision; for an approval, which says none, the gates that held when it was given."""
    said = [str(reason) for reason in items(event.data.get("reasons"))]
    if said:
        return said
    earlier = [e for e in within(events, environment_of(event)) if e.sequence <= event.sequence]
    shown = last(earlier, VERDICT)
    tree = mapping(shown.data.get("verdict")) if shown else {}
    approved = event.type == "ReleaseApproved" or event.data.get("state") == "approved"
    return list(dict.fromkeys(_leaves(tree, frozenset({"approved"}) if approved else BLOCKING)))


def _leaves(tree: dict[str, Any], states: frozenset[str]) -> Iterator[str]:
    children = [mapping(child) for child in items(tree.get("children"))]
    if not children and tree.get("state") in states and text(tree.get("message")):
        yield text(tree.get("message"))
    for child in children:
        yield from _leaves(child, states)
