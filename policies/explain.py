"""A verdict as plain text: what holds, what does not, who can help, when it changes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from policies.verdict import Verdict

MARKS = {"approved": "✓", "delayed": "…", "rejected": "✗", "skipped": "-"}
NAMED = 6
"""So many people are named; more are counted."""


def lines(verdict: Verdict) -> list[str]:
    """The tree, one line for each thing, the whole first."""
    would = ", would be blocked (mode: observe blocks nothing)"
    seen = would if verdict.observed and not verdict.approved else ""
    found = [f"{MARKS[verdict.state]} {verdict.name}: {verdict.state}, {verdict.have}{seen}"]
    if not verdict.children or verdict.reason_code in {"Approved", "NoGateApplied"}:
        found.append(f"  {verdict.message}")
    for child in verdict.children:
        found += _node(child, 1)
    if verdict.next_change_at:
        found.append(
            f"Next change by itself: {verdict.next_change_at.astimezone(UTC):%a %Y-%m-%d %H:%M} UTC."
        )
    return found


def _node(verdict: Verdict, depth: int) -> Iterator[str]:
    inner = [child for child in verdict.children if child.message != verdict.message]
    help_ = "" if inner or verdict.approved else _helpers(verdict)
    yield f"{'  ' * depth}{MARKS[verdict.state]} {verdict.name}: {verdict.message}{help_}"
    for child in inner:
        yield from _node(child, depth + 1)


def _helpers(verdict: Verdict) -> str:
    if not verdict.who_can:
        return ""
    named, more = verdict.who_can[:NAMED], len(verdict.who_can) - NAMED
    return f" Who can: {', '.join(named)}{f' and {more} more' if more > 0 else ''}."
