"""What the engine's workflows work with.

One per process, because the durable-execution library is one per process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from dbos import DBOSClient
from sqlalchemy.orm import Session

from bot.domain.decision import Decision
from bot.domain.event import Draft, Event
from bot.domain.performer import Performer
from bot.domain.view import View
from bot.engine.pace import Pace
from bot.forges.port import Forge
from bot.intake.arrivals import Doorbell
from bot.intake.inbox import Inbox
from bot.log.store import Store
from bot.settings import Settings

Decide = Callable[[Event, View], Decision]


class Observed(Protocol):
    """A fact about the outside that nobody sent; `name` is the same for the same fact."""

    @property
    def tenant(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def draft(self) -> Draft: ...


Observe = Callable[[], Iterable[Observed]]
OTHER = "other"
"""Queue of effects whose target nobody performs.

They fail there with a reason instead of waiting for ever.
"""


@dataclass
class Activity:
    """Counts work in progress, so that a process can end between two pieces of it."""

    stopping: bool = False
    running: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def one(self) -> Iterator[None]:
        with self.changed:
            self.running += 1
        try:
            yield
        finally:
            with self.changed:
                self.running -= 1
                self.changed.notify_all()

    def stop(self, patience: float) -> None:
        """Ask all work to end, and wait for it up to `patience` seconds."""
        with self.changed:
            self.stopping = True
            self.changed.wait_for(lambda: self.running == 0, patience)


@dataclass(frozen=True)
class Wiring:
    """Everything a workflow needs, made by `Runtime`."""

    settings: Settings
    store: Store
    client: DBOSClient
    bell: Doorbell
    inbox: Inbox
    forges: Mapping[str, Forge]
    performers: Mapping[str, Performer]
    decide: Decide
    pace: Pace
    observe: Observe = lambda: ()
    """Looks at the outside every few seconds: what it sees becomes events."""
    activity: Activity = field(default_factory=Activity)

    def queue_of(self, target: str) -> str:
        """The queue of a target's effects.

        One each, so that a forge that is down does not hold up the others.
        """
        return f"effects-{target if target in self.performers else OTHER}"

    def enqueue(
        self,
        session: Session,
        workflow: str,
        workflow_id: str,
        *args: object,
        queue: str,
        partition: str | None = None,
        delay: float = 0.0,
    ) -> None:
        """Enqueue a workflow in the caller's transaction. The same id twice is one workflow."""
        options: dict[str, object] = {
            "workflow_name": workflow,
            "workflow_id": workflow_id,
            "queue_name": queue,
        }
        if partition is not None:
            options["queue_partition_key"] = partition
        if delay > 0:
            options["delay_seconds"] = delay
        self.client.enqueue_in_transaction(session, options, *args)  # type: ignore[arg-type]
