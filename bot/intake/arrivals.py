"""What the inbox stores: rows of deliveries and of events, and the bell that wakes their shard's drain.

Everything here happens in the caller's transaction, so a row and its wake-up are stored together or not at
all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient
from sqlalchemy.orm import Session

from bot.domain.event import Event
from bot.domain.model import rfc3339

# As text: these run for each group of deliveries, and building them costs more than running them.
INSERT = sa.text(
    "INSERT INTO inbox"
    " (tenant, source, kind, delivery_id, headers, body, trace, shard, received_at, done, attempts) "
    "VALUES (:tenant, :source, :kind, :delivery_id, :headers, :body, :trace, :shard, :received_at, 0, 0) "
    "ON CONFLICT DO NOTHING"
)
ALL_GENERATIONS = sa.text("SELECT shard, generation FROM shard_generation ORDER BY shard")
SHARED_GENERATIONS = sa.text(
    "SELECT shard, generation FROM shard_generation WHERE shard = ANY(:shards) ORDER BY shard FOR SHARE"
)
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

    def values(self, received_at: str) -> dict[str, Any]:
        """The parameters of `INSERT`. By hand: `dataclasses.asdict` costs as much as the whole insert."""
        return {
            "tenant": self.tenant,
            "source": self.source,
            "kind": self.kind,
            "delivery_id": self.delivery_id,
            "headers": self.headers,
            "body": self.body,
            "trace": self.trace,
            "shard": self.shard,
            "received_at": received_at,
        }


def event_arrival(event: Event, source: str, delivery_id: str, shards: int) -> Arrival:
    """An event on its way to its trace. Its sequence is given when it is appended."""
    return Arrival(
        tenant=event.tenant_id,
        source=source,
        kind=EVENT,
        delivery_id=delivery_id,
        body=event.model_dump_json(by_alias=True, exclude_none=True).encode(),
        shard=shard_of(f"{event.tenant_id}/{event.trace_id}", shards),
        trace=event.trace_id,
    )


def insert(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Store arrivals, each once."""
    if not arrivals:
        return
    received_at = now()
    session.execute(INSERT, [arrival.values(received_at) for arrival in arrivals])


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
        rung = {}
        for shard, generation in self._generations(session, dirty):
            if shard in dirty and self._rung.get(shard) != generation:
                self.enqueue(session, shard, f"drain-{shard:03d}-{generation}")
                rung[shard] = generation
        return rung

    @staticmethod
    def _generations(session: Session, shards: list[int]) -> Any:
        if session.get_bind().dialect.name == "sqlite":
            return session.execute(ALL_GENERATIONS)  # a handful of rows, and nobody else writes meanwhile
        return session.execute(SHARED_GENERATIONS, {"shards": shards})

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
