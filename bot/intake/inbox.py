"""The group-committing writer: everything that arrived since the last commit is one transaction.

    inbox = Inbox(store, Doorbell(client)); inbox.start()
    await inbox.accept([arrival])      # in the web server: returns when it is on disk
    inbox.receive([arrival])           # in a worker thread
    inbox.close()

Both raise `Unavailable` when the database cannot take it (disk full, down); then nothing of the call is
stored.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from bot.intake.arrivals import Arrival, Doorbell, insert
from bot.log.store import Store
from bot.telemetry import get_logger

log = get_logger(__name__)
LARGEST_GROUP = 256
"""Arrivals per commit: enough to hide the disk, few enough that nobody waits long."""
CROWD = 8
"""Arrivals in one group that make a crowd."""
CROWD_SECONDS = 0.1
RETRY_AFTER = 5
"""Seconds we ask senders to wait when we cannot store."""


class Unavailable(Exception):
    """The database did not take the arrivals. Ask again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = RETRY_AFTER) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Ticket:
    arrivals: Sequence[Arrival]
    loop: asyncio.AbstractEventLoop | None
    future: asyncio.Future[None] | Future[None]


class Inbox:
    """One writer thread per process."""

    def __init__(self, store: Store, bell: Doorbell) -> None:
        self._store = store
        self._bell = bell
        self._tickets: deque[_Ticket] = deque()
        self._arrived = threading.Condition()
        self._closing = False
        self._crowded_at = -CROWD_SECONDS
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then stop."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def crowded(self) -> bool:
        """Whether many arrive at the moment."""
        return time.monotonic() - self._crowded_at < CROWD_SECONDS

    async def accept(self, arrivals: Sequence[Arrival]) -> None:
        """Store arrivals; returns after the commit. For the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._put(_Ticket(arrivals, loop, future))
        await future

    def receive(self, arrivals: Sequence[Arrival]) -> None:
        """Store arrivals; returns after the commit. For threads."""
        future: Future[None] = Future()
        self._put(_Ticket(arrivals, None, future))
        future.result()

    def _put(self, ticket: _Ticket) -> None:
        with self._arrived:
            if self._closing:
                raise Unavailable("the process is stopping")
            self._tickets.append(ticket)
            self._arrived.notify()

    def _run(self) -> None:
        while tickets := self._next_group():
            try:
                self._write(tickets)
            except DBAPIError as error:
                log.warning("inbox_not_stored", arrivals=len(tickets), error=str(error.orig))
                _settle(tickets, Unavailable("the database did not take the delivery"))
            except Exception:
                # The writer must outlive any one group; its senders are told.
                log.exception("inbox_failed")
                _settle(tickets, Unavailable("the delivery could not be stored"))
            else:
                _settle(tickets, None)

    def _next_group(self) -> list[_Ticket]:
        with self._arrived:
            while not self._tickets and not self._closing:
                self._arrived.wait()
            group: list[_Ticket] = []
            size = 0
            while self._tickets and size < LARGEST_GROUP:
                group.append(self._tickets.popleft())
                size += len(group[-1].arrivals)
            return group

    def _write(self, tickets: Sequence[_Ticket]) -> None:
        arrivals = [arrival for ticket in tickets for arrival in ticket.arrivals]
        if len(arrivals) >= CROWD:
            self._crowded_at = time.monotonic()
        with self._store.begin(urgent=True) as session:
            insert(session, arrivals)
            rung = self._bell.ring(session, (arrival.shard for arrival in arrivals))
        self._bell.remember(rung)


def _settle(tickets: Sequence[_Ticket], error: Exception | None) -> None:
    """Answer all senders; one call into each event loop, however many wait there."""
    by_loop: defaultdict[asyncio.AbstractEventLoop | None, list[_Ticket]] = defaultdict(list)
    for ticket in tickets:
        by_loop[ticket.loop].append(ticket)
    for loop, waiting in by_loop.items():
        answer: Callable[[], None] = lambda waiting=waiting: _answer(waiting, error)  # type: ignore[misc] # noqa: E731
        if loop is None:
            answer()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(answer)


def _answer(tickets: Sequence[_Ticket], error: Exception | None) -> None:
    for ticket in tickets:
        if ticket.future.cancelled():
            continue  # the sender hung up; what is stored stays stored
        if error is None:
            ticket.future.set_result(None)
        else:
            ticket.future.set_exception(error)
