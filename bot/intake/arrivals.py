"""What the inbox stores: rows of deliveries and of events, and the bell that wakes their shard's drain.

Everything here happens in the caller's transaction, so a row and its wake-up are stored together or not at
all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from dbos import DBOSClient
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.log.tables import GENERATIONS, INBOX

DRAIN_QUEUE = "drain"
DRAIN_WORKFLOW = "drain_shard"
DELIVERY, EVENT = "delivery", "event"


def shard_of(key: str, shards: int) -> int:
    """The lane of a repository or of a trace. The same in every process and release."""
    return zlib.crc32(key.encode()) % shards


def now() -> str:
    """This moment, as the tables keep it."""
    return rfc3339(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row for the inbox; `(tenant, source, delivery_id)` makes it once."""

    tenant: str
    source: str
    kind: str
    delivery_id: str
    body: bytes
    shard: int
    headers: str = ""
    trace: str = ""


def event_arrival(event: Event, source: str, delivery_id: str, shards: int) -> Arrival:
    """An event on its way to its trace. Its sequence is given when it is appended."""
    return Arrival(
        tenant=event.tenant_id,
        source=source,
        kind=EVENT,
        delivery_id=delivery_id,
        body=event.canonical(),
        shard=shard_of(f"{event.tenant_id}/{event.trace_id}", shards),
        trace=event.trace_id,
    )


def insert(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Store arrivals, each once."""
    if not arrivals:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    received = {"received_at": now(), "done": 0, "attempts": 0}
    session.execute(
        dialect.insert(INBOX).on_conflict_do_nothing(), [asdict(arrival) | received for arrival in arrivals]
    )


class Doorbell:
    """Enqueues one drain per dirty shard and generation.

    A drain raises its shard's generation before it reads the inbox. Whoever rings reads the generation under
    a lock that the raising waits for: either the drain sees the new row, or the ringer sees the new
    generation and enqueues another.
    """

    def __init__(self, client: DBOSClient) -> None:
        self._client = client
        self._rung: dict[int, int] = {}

    def ring(self, session: Session, shards: Iterable[int]) -> dict[int, int]:
        """Wake these shards when the transaction commits. Give the answer to `remember` after that."""
        dirty = sorted(set(shards))
        if not dirty:
            return {}
        query = sa.select(GENERATIONS.c.shard, GENERATIONS.c.generation).where(GENERATIONS.c.shard.in_(dirty))
        if session.get_bind().dialect.name != "sqlite":
            query = query.order_by(GENERATIONS.c.shard).with_for_update(read=True)
        rung = {}
        for shard, generation in session.execute(query):
            if self._rung.get(shard) != generation:
                self.enqueue(session, shard, f"drain-{shard:03d}-{generation}")
                rung[shard] = generation
        return rung

    def remember(self, rung: dict[int, int]) -> None:
        """The wake-ups are committed: no need to enqueue them again.

        Never before the commit, which may fail.
        """
        self._rung.update(rung)

    def enqueue(self, session: Session, shard: int, workflow_id: str) -> None:
        """Enqueue a drain under a name; the same name twice is one drain."""
        self._client.enqueue_in_transaction(
            session,
            {
                "workflow_name": DRAIN_WORKFLOW,
                "queue_name": DRAIN_QUEUE,
                "queue_partition_key": str(shard),
                "workflow_id": workflow_id,
            },
            shard,
        )
