"""How fast the bot may write: GitHub's secondary limits, kept before GitHub has to say so.

80 writes a minute, 500 an hour, and a pause between two of them:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.errors import Retryable

LIMITS = ((80, 60.0), (500, 3600.0))
LONGEST_WAIT_S = 5.0
"""A worker thread waits so long for its turn; a longer wait is the engine's."""


@dataclass
class Budget:
    """What is left of an hour's requests, as GitHub last said. `reset` in seconds since 1970."""

    limit: int
    remaining: int
    reset: float


@dataclass
class Pace:
    """The writes of one account in this process. `pause` in seconds."""

    pause: float
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taken: deque[float] = field(default_factory=deque)
    """When the writes of the last hour were made, or will be."""

    def turn(self) -> None:
        """Wait until one more write may be made. Raises Retryable when that is long."""
        with self._lock:
            now = self.clock()
            due = max(now, self._due(now))
            if due - now > LONGEST_WAIT_S:
                raise Retryable("GitHub's limit of writes is used up for now", after=due - now)
            self._taken.append(due)
        if due > now:
            self.sleep(due - now)

    def _due(self, now: float) -> float:
        while self._taken and self._taken[0] <= now - LIMITS[-1][1]:
            self._taken.popleft()
        due = self._taken[-1] + self.pause if self._taken else now
        for most, seconds in LIMITS:
            if len(self._taken) >= most:
                due = max(due, self._taken[-most] + seconds)
        return due
