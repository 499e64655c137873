"""What the API and Studio work with: the runtime of this process, made in `bot.app` or by a test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.intake.arrivals import Arrival, event_arrival
from bot.intake.inbox import Unavailable
from bot.intake.problem import Problem, unavailable
from bot.log.store import Store
from bot.settings import Settings

Answer = TypeVar("Answer")


class Accepts(Protocol):
    """The inbox: returns when the arrivals are on disk."""

    async def accept(self, arrivals: Sequence[Arrival]) -> None:
        """Store arrivals. Raises Unavailable."""
        ...


class Running(Protocol):
    """What is asked of `bot.engine.runtime.Runtime`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def inbox(self) -> Accepts: ...
    @property
    def forges(self) -> Collection[str]: ...
    def retry(self, dead_letter_id: int) -> bool: ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """The runtime, asked from the event loop. `clock` says now (aware, UTC)."""

    runtime: Running
    clock: Callable[[], datetime] = _now

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    @property
    def store(self) -> Store:
        return self.runtime.store

    def check_forge(self, name: str) -> None:
        """Raises Problem 422 for a forge that this bot has no account at."""
        if name not in self.runtime.forges:
            known = ", ".join(sorted(self.runtime.forges)) or "none"
            message = f"The bot has no account at a forge {name!r}; it has: {known}. See `pointsman doctor`."
            raise Problem(422, "UnknownForge", message, path="forge")

    async def read(self, question: Callable[[Session], Answer]) -> Answer:
        """Ask the database in a thread, so that the event loop goes on. The session sees one moment."""

        def ask() -> Answer:
            with self.store.read() as session:
                return question(session)

        return await run_in_threadpool(ask)

    async def submit(self, event: Event, *, source: str, delivery_id: str) -> None:
        """Put an event into the inbox; on disk when this returns. The same delivery twice is one.

        Raises Problem 503.
        """
        arrival = event_arrival(event, source, delivery_id, self.settings.shards)
        try:
            await self.runtime.inbox.accept([arrival])
        except Unavailable as error:
            raise unavailable(error.retry_after) from error
