"""The bare side of "events applied": a loop that runs the same statements, and decides nothing.

Per delivery: read it from the inbox, parse it, look its trace up, write its event's inbox row and mark it;
then, in the trace's shard, read that, look for its id, read the head, hash, write event and head, and mark
it. The same groups of rows per transaction, the same generations and the rows that the durable-execution
library writes for each drain.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.engine.drain import MOST_ROWS
from bot.intake.arrivals import INSERT, shard_of
from bot.log.append import INSERT_EVENT, UPSERT_HEAD
from bot.log.store import Store

RAISE = sa.text("UPDATE shard_generation SET generation = generation + 1 WHERE shard = :shard")
LOCK = sa.text("SELECT pg_advisory_xact_lock(21320, :shard)")
NEXT = sa.text("SELECT * FROM inbox WHERE shard = :shard AND done = 0 ORDER BY seq LIMIT :most")
KEYS = sa.text("SELECT key, trace FROM trace_key WHERE tenant = :tenant AND key = :key")
NEW_KEY = sa.text(
    "INSERT INTO trace_key (tenant, key, trace) VALUES (:tenant, :key, :trace) ON CONFLICT DO NOTHING"
)
KNOWN = sa.text("SELECT id FROM events WHERE tenant_id = :tenant AND id = :id")
HEAD = sa.text("SELECT sequence, hash, fold, state FROM head WHERE tenant_id = :tenant AND trace_id = :trace")
GENERATIONS = sa.text("SELECT shard, generation FROM shard_generation ORDER BY shard")
DONE = sa.text("UPDATE inbox SET done = 1 WHERE seq = :seq")


class BareLoop:
    """Applies what is in the inbox. `state` is the text written as each head's state."""

    def __init__(self, store: Store, shards: int, state: str) -> None:
        self._store = store
        self._shards = shards
        self._state = state
        prefix = "" if store.sqlite else "dbos."
        columns = (
            "workflow_uuid, status, name, queue_name, queue_partition_key, priority, created_at, updated_at"
        )
        self._enqueue = sa.text(
            f"INSERT INTO {prefix}workflow_status ({columns}, recovery_attempts, application_name)"
            " VALUES (:id, 'ENQUEUED', 'bare', 'bare', :shard, 0, :now, :now, 0, 'bare')"
            " ON CONFLICT (workflow_uuid) DO NOTHING"
        )
        self._input = sa.text(
            f"INSERT INTO {prefix}workflow_input (workflow_uuid, inputs) VALUES (:id, '[]')"
            " ON CONFLICT DO NOTHING"
        )
        self._status = sa.text(
            f"UPDATE {prefix}workflow_status SET status = :status WHERE workflow_uuid = :id"
        )

    def run(self) -> int:
        """Until nothing waits. Returns the number of events."""
        return sum(
            self._drain(f"bare-{turn}-{shard}", shard) for turn in range(2) for shard in range(self._shards)
        )

    def _drain(self, name: str, shard: int) -> int:
        with self._begin() as connection:
            values = {"id": name, "shard": str(shard), "now": int(time.time() * 1000)}
            connection.execute(self._enqueue, values)
            connection.execute(self._input, values)
        with self._begin() as connection:
            connection.execute(self._status, {"id": name, "status": "PENDING"})
        with self._begin() as connection:
            connection.execute(RAISE, {"shard": shard})
        events = 0
        while (count := self._transaction(shard)) is not None:
            events += count
        with self._begin() as connection:
            connection.execute(self._status, {"id": name, "status": "SUCCESS"})
        return events

    def _transaction(self, shard: int) -> int | None:
        with self._begin() as connection:
            if not self._store.sqlite:
                connection.execute(LOCK, {"shard": shard})
            rows = list(connection.execute(NEXT, {"shard": shard, "most": MOST_ROWS}))
            if not rows:
                return None
            deliveries = [row for row in rows if row.kind == "delivery"]
            if deliveries:
                self._normalise(connection, deliveries)
            self._append(connection, [row for row in rows if row.kind == "event"])
            connection.execute(DONE, [{"seq": row.seq} for row in rows])
            return len(rows) - len(deliveries)

    def _normalise(self, connection: Connection, rows: list[Any]) -> None:
        arrivals, keys = [], []
        for row in rows:
            said = json.loads(bytes(row.body))
            key = f"local:{said['repository']}@{said['branch']}"
            owner = connection.execute(KEYS, {"tenant": row.tenant, "key": key}).first()
            trace = owner.trace if owner else f"trace-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
            if owner is None:
                keys.append({"tenant": row.tenant, "key": key, "trace": trace})
            data = {"repository": said["repository"], "number": said["number"]}
            event = {"id": f"{row.delivery_id}/0", "type": "TestsExecuted", "traceId": trace, "data": data}
            arrivals.append(
                {
                    "tenant": row.tenant,
                    "source": row.source,
                    "kind": "event",
                    "delivery_id": event["id"],
                    "headers": "",
                    "body": json.dumps(event).encode(),
                    "trace": trace,
                    "received_at": row.received_at,
                    "shard": shard_of(f"{row.tenant}/{trace}", self._shards),
                }
            )
        if keys:
            connection.execute(NEW_KEY, keys)
        connection.execute(INSERT, arrivals)
        connection.execute(GENERATIONS).all()

    def _append(self, connection: Connection, rows: list[Any]) -> None:
        heads: dict[str, tuple[int, str]] = {}
        events = []
        for row in rows:
            said = json.loads(bytes(row.body))
            connection.execute(KNOWN, {"tenant": row.tenant, "id": said["id"]}).first()
            if row.trace not in heads:
                found = connection.execute(HEAD, {"tenant": row.tenant, "trace": row.trace}).first()
                heads[row.trace] = (found.sequence, found.hash) if found else (0, "0" * 64)
            sequence, previous = heads[row.trace]
            said |= {
                "specversion": "1.0",
                "source": row.source,
                "time": row.received_at,
                "tenantId": row.tenant,
                "sequence": sequence + 1,
            }
            body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            digest = hashlib.sha256(bytes.fromhex(previous) + body).hexdigest()
            heads[row.trace] = (sequence + 1, digest)
            events.append(
                {
                    "tenant_id": row.tenant,
                    "trace_id": row.trace,
                    "sequence": sequence + 1,
                    "id": said["id"],
                    "type": said["type"],
                    "time": row.received_at,
                    "source": row.source,
                    "actor": None,
                    "causation_id": None,
                    "body": body,
                    "prev_hash": previous,
                    "hash": digest,
                }
            )
        if events:
            connection.execute(INSERT_EVENT, events)
            connection.execute(
                UPSERT_HEAD,
                [self._head(row, *heads[row.trace]) for row in {r.trace: r for r in rows}.values()],
            )

    def _head(self, row: Any, sequence: int, digest: str) -> dict[str, Any]:
        return {
            "tenant_id": row.tenant,
            "trace_id": row.trace,
            "sequence": sequence,
            "hash": digest,
            "fold": "bare",
            "state": self._state,
            "forge": "",
            "repository": "",
            "module_id": "",
            "version": "",
            "flow_state": "",
            "change_url": "",
            "sentence": "Tests executed",
            "updated_at": row.received_at,
        }

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._store.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
