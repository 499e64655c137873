"""How fast the bot may write: GitHub's secondary limits, kept before GitHub has to say so.

80 writes a minute, 500 an hour, and a pause between two of them:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests

All processes of the bot are one account to GitHub. Each takes its share: of three that live, a third.
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
LOOKED_S = 5.0
"""How long it is believed how many processes there are."""


@dataclass
class Budget:
    """What is left of an hour's requests, as GitHub last said. `reset` in seconds since 1970."""

    limit: int
    remaining: int
    reset: float


@dataclass
class Pace:
    """The writes of one account in this process. `pause` in seconds; `processes`: how many write."""

    pause: float
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    processes: Callable[[], int] = lambda: 1
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taken: deque[float] = field(default_factory=deque)
    """When the writes of the last hour were made, or will be."""
    _others: tuple[int, float] = (1, 0.0)
    """How many processes there were, and when that was looked up."""

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
        sharing = self._sharing(now)
        due = self._taken[-1] + self.pause * sharing if self._taken else now
        for most, seconds in LIMITS:
            mine = max(most // sharing, 1)
            if len(self._taken) >= mine:
                due = max(due, self._taken[-mine] + seconds)
        return due

    def _sharing(self, now: float) -> int:
        count, looked = self._others
        if not looked or now - looked >= LOOKED_S:
            count = max(self.processes(), 1)
            self._others = (count, now)
        return count
