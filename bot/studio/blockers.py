"""What a verdict tree comes down to for whoever waits.

Which gates do not hold, who can help, when the answer changes. Pure.

[Blocker(gate="approvals", message="0 of 1 approvals by ReleaseManager", who_can=("jane.doe",),
next_change_at=None), ...]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPEN = {"delayed", "rejected"}


@dataclass(frozen=True)
class Blocker:
    """One gate that does not hold. `next_change_at` is RFC 3339 in UTC."""

    gate: str
    state: str
    reason_code: str
    message: str
    have: str
    need: str
    who_can: tuple[str, ...]
    next_change_at: str | None

    @property
    def sentence(self) -> str:
        """All of it in one line of text."""
        said = f"{self.gate}: {self.message}"
        if self.who_can:
            said += f" Can help: {', '.join(self.who_can)}."
        if self.next_change_at:
            said += f" Changes at {self.next_change_at}."
        return said


def blockers(tree: Mapping[str, Any]) -> list[Blocker]:
    """The gates of an environment's verdict that do not hold, in order.

    A tree never evaluated, or approved, has none.
    """
    if tree.get("state") not in OPEN:
        return []
    found = [_blocker(gate) for gate in tree.get("children") or () if gate.get("state") in OPEN]
    return found or [_blocker(tree)]


def helpers(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Everyone who can move one of the open gates, each once, in order."""
    return tuple(dict.fromkeys(who for found in blockers(tree) for who in found.who_can))


def next_change(tree: Mapping[str, Any]) -> str | None:
    """The first moment at which the answer may change by itself."""
    return min((found.next_change_at for found in blockers(tree) if found.next_change_at), default=None)


def _blocker(gate: Mapping[str, Any]) -> Blocker:
    return Blocker(
        gate=str(gate.get("name") or "gate"),
        state=str(gate["state"]),
        reason_code=str(gate.get("reason_code") or ""),
        message=_sentence(str(gate.get("message") or gate.get("reason_code") or "does not hold")),
        have=_plain(gate.get("have")),
        need=_plain(gate.get("need")),
        who_can=tuple(dict.fromkeys(_who_can(gate))),
        next_change_at=min(_moments(gate), default=None),
    )


def _who_can(gate: Mapping[str, Any]) -> list[str]:
    """A gate may leave it to its parts to say who can help with each."""
    inner = [
        who for child in gate.get("children") or () if child.get("state") in OPEN for who in _who_can(child)
    ]
    return [*map(str, gate.get("who_can") or ()), *inner]


def _moments(gate: Mapping[str, Any]) -> list[str]:
    own = [str(gate["next_change_at"])] if gate.get("next_change_at") else []
    return own + [
        moment
        for child in gate.get("children") or ()
        if child.get("state") in OPEN
        for moment in _moments(child)
    ]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _plain(value: Any) -> str:
    return "" if value is None else str(value)
