"""The steps of the demo, in order. Each makes something happen and looks whether it really did; its answer is
the evidence.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.demo import processes
from bot.demo.asking import Asking, DidNotHappen
from bot.demo.place import Place
from bot.domain.event import Event

WRONG = "the demo's claim does not hold"


@dataclass
class Story:
    """What the steps share."""

    place: Place
    ask: Asking
    web: processes.Process
    worker: processes.Process
    trace: str = ""
    change: int = 0
    urls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a step leaves behind: the events that prove it, and what a reader wants to see."""

    events: list[Event]
    detail: dict[str, Any]
    said: str


Step = Callable[[Story], Told]


def claim(holds: object, what: str) -> None:
    """The demo fails when a claim does not hold."""
    if not holds:
        raise DidNotHappen(f"{WRONG}: {what}")


def git(place: Place, *arguments: str) -> str:
    """Ask git about the bare repository."""
    done = subprocess.run(
        ["git", "-C", str(place.repository), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
