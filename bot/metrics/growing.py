"""Counting rows of a table that only grows, without reading all of it every time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

MARGIN = 10_000
"""The newest rows are counted anew each time: on Postgres a transaction may show a row with a smaller number
after a greater one was seen. Drains end within milliseconds; this many rows take seconds.
"""
Counts = Counter[tuple[Any, ...]]
Between = Callable[[Session, int, int], Counts]
"""What the rows after the first number, up to and with the second, add to the counts."""


@dataclass
class Growing:
    """The counts of one table. Threads may share it."""

    between: Between
    margin: int = MARGIN
    _settled: Counts = field(default_factory=Counter)
    _until: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def total(self, session: Session, newest: int) -> Counts:
        """Counts of all rows up to `newest`, the greatest number that the session sees."""
        with self._lock:
            settled = max(self._until, newest - self.margin)
            if settled > self._until:
                self._settled.update(self.between(session, self._until, settled))
                self._until = settled
            counts = Counter(self._settled)
        counts.update(self.between(session, settled, newest))
        return counts
