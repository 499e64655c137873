"""Who comes first when a process is both door and worker: the door.

A forge gives up on a delivery after ten seconds and does not ask twice; a drain can wait. While deliveries
arrive in crowds, drains take turns and rest five times as long as they worked. When the crowd has gone they
run freely.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.intake.inbox import Inbox

REST = 5.0
LONGEST_REST = 0.1
"""Seconds."""


class Pace:
    """Shared by all drains of a process. `pause` is an unconditional rest (a separate worker on SQLite)."""

    def __init__(self, inbox: Inbox, pause: float) -> None:
        self._inbox = inbox
        self._pause = pause
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around one transaction."""
        if not self._inbox.crowded:
            yield
            if self._pause:  # a sleep of nothing still gives the processor away
                time.sleep(self._pause)
            return
        with self._turn:
            began = time.monotonic()
            yield
            time.sleep(max(self._pause, min(LONGEST_REST, REST * (time.monotonic() - began))))
