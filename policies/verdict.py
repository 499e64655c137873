"""The answer of a policy: a tree whose every node says what it has, what it needs, who can help and when.

`approved`; `delayed` (nothing is wrong: time or a person is missing); `rejected` (something is wrong);
`skipped` (does not apply, and counts neither for nor against).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.domain.model import rfc3339

State = Literal["approved", "delayed", "rejected", "skipped"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One node.

    `reason_code` is stable, `message` one sentence; `have` and `need` are readable; times are aware.
    """

    name: str
    state: State
    reason_code: str
    message: str
    have: str = ""
    need: str = ""
    who_can: tuple[str, ...] = ()
    next_change_at: datetime | None = None
    children: tuple[Verdict, ...] = ()
    observed: bool = False
    """Only on a root: `mode: observe`, so this says what would happen and blocks nothing."""

    @property
    def approved(self) -> bool:
        return self.state == "approved"

    @property
    def blocks(self) -> bool:
        return not self.approved and not self.observed

    def to_json(self) -> dict[str, Any]:
        """The stable shape of interfaces.md; `observed` appears only when it is so."""
        shape: dict[str, Any] = {
            "name": self.name,
            "state": self.state,
            "reason_code": self.reason_code,
            "message": self.message,
            "have": self.have,
            "need": self.need,
            "who_can": list(self.who_can),
            "next_change_at": rfc3339(self.next_change_at) if self.next_change_at else None,
            "children": [child.to_json() for child in self.children],
        }
        return shape | {"observed": True} if self.observed else shape


def fold_all(children: Iterable[Verdict]) -> State:
    """All must hold: rejected over delayed over approved.

    Skipped ones count for nothing; nothing left is skipped.
    """
    states = {child.state for child in children}
    for state in _WORST_FIRST:
        if state in states:
            return state
    return "skipped"


def fold_any(children: Iterable[Verdict]) -> State:
    """One is enough: approved over delayed over rejected.

    Skipped ones count for nothing; nothing left is skipped.
    """
    states = {child.state for child in children}
    for state in reversed(_WORST_FIRST):
        if state in states:
            return state
    return "skipped"


_WORST_FIRST: tuple[State, ...] = ("rejected", "delayed", "approved")


def blocking(children: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Those that stand in the way, rejected ones first, otherwise in their order."""
    stopped = [child for child in children if child.state in {"rejected", "delayed"}]
    return tuple(sorted(stopped, key=lambda child: child.state != "rejected"))


def soonest(children: Iterable[Verdict]) -> datetime | None:
    """The first moment at which one of them may answer differently."""
    return min((child.next_change_at for child in children if child.next_change_at), default=None)


def everyone(children: Iterable[Verdict]) -> tuple[str, ...]:
    """Who could help with any of them, each once, in order."""
    return tuple(dict.fromkeys(who for child in children for who in child.who_can))
