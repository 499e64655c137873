"""What a handler may look at: the folded trace, the moment, the module's environments. Built by the engine,
by hand in tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.deployment import Slot
from bot.domain.event import Event
from bot.domain.release import Lock
from bot.domain.trace import TraceState


def _none(_event_id: str) -> Event | None:
    return None


@dataclass(frozen=True)
class View:
    """`now` is the receipt time of the fact that is decided on (aware UTC): deciding again sees the same
    moment.
    """

    now: datetime
    state: TraceState
    slots: Mapping[str, Slot] = field(default_factory=dict)
    """environment -> Slot of this tenant and module."""
    locks: Mapping[str, Lock] = field(default_factory=dict)
    """environment -> who has locked it, of this tenant and repository."""
    find: Callable[[str], Event | None] = _none
    """An earlier event of this trace by id (for payloads too large for the state)."""
    base_url: str = "http://127.0.0.1:8080"
    attests: bool = False
    """Whether the bot has a key to sign with (`POINTSMAN_ATTESTATION_KEY`)."""
    creates_in: tuple[str, ...] = ()
    """`forge:owner` where the bot may make repositories."""
