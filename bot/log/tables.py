"""The tables. Moments are RFC 3339 text in UTC with milliseconds: equal on both databases, and they sort.

`inbox` is what came in, `events` what is known, `head` where each trace stands (a cache that a fold rebuilds,
and the mark that shows a cut tail), the rest is the engine's bookkeeping. The read models' tables are in
`bot/projections/`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts rows only in a column declared INTEGER."""

WAITING, DONE, QUARANTINED = 0, 1, 2


def key() -> Any:
    """A row number that only grows."""
    return Field(default=None, sa_column=sa.Column(BigKey, primary_key=True, autoincrement=True))


class Inbox(SQLModel, table=True):
    """One thing that came in: a raw `delivery` of a forge, or an `event` for a trace.

    Stored once per delivery id.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        sa.UniqueConstraint("tenant", "source", "delivery_id"),
        sa.Index(
            "inbox_waiting",
            "shard",
            "seq",
            sqlite_where=sa.text("done = 0"),
            postgresql_where=sa.text("done = 0"),
        ),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = key()
    tenant: str
    source: str
    """`webhooks/<forge>`, `api`, `timer`, `effect`, `message`, ..."""
    kind: str
    delivery_id: str
    headers: str = ""
    """JSON, of a delivery."""
    body: bytes
    trace: str = ""
    shard: int
    received_at: str
    done: int = 0
    attempts: int = 0
    """Times that a worker died while this row was next (see engine/takeover.py)."""


class ShardGeneration(SQLModel, table=True):
    """Counts the drains of a shard.

    The number is part of the next drain's id, so each wake-up is enqueued once.
    """

    __tablename__ = "shard_generation"

    shard: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    generation: int = 0


class EventRow(SQLModel, table=True):
    """One immutable fact.

    `body` is the whole envelope as canonical JSON; the other columns are copies for queries.
    """

    __tablename__ = "events"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "trace_id", "sequence"),
        sa.UniqueConstraint("tenant_id", "id"),
        {"sqlite_autoincrement": True},
    )

    position: int | None = key()
    tenant_id: str
    trace_id: str
    sequence: int
    id: str
    type: str
    time: str
    source: str
    actor: str | None = None
    causation_id: str | None = None
    body: bytes
    prev_hash: str
    hash: str


class Head(SQLModel, table=True):
    """Where a trace stands: last sequence and hash, the folded state, and what lists of traces show."""

    __tablename__ = "head"
    __table_args__ = (sa.Index("head_recent", "tenant_id", "updated_at"),)

    tenant_id: str = Field(primary_key=True)
    trace_id: str = Field(primary_key=True)
    sequence: int
    hash: str
    fold: str
    """Digest of the fold's code; another one means the state is folded anew from the events."""
    state: str
    forge: str = ""
    repository: str = ""
    module_id: str = ""
    version: str = ""
    flow_state: str = ""
    change_url: str = ""
    sentence: str = ""
    updated_at: str


class DeadLetter(SQLModel, table=True):
    """A row that could not be applied, with the reason. `status`: quarantined, retried."""

    __tablename__ = "dead_letter"
    __table_args__: Any = {"sqlite_autoincrement": True}

    id: int | None = key()
    seq: int = Field(sa_type=BigKey, index=True)
    tenant: str = Field(index=True)
    source: str
    kind: str
    delivery_id: str
    trace: str = ""
    error: str
    message: str
    traceback: str
    at: str
    status: str = "quarantined"


class EffectRow(SQLModel, table=True):
    """What is to be done outside, and how far it is: waiting, retrying, done, failed, superseded."""

    __tablename__ = "effect"
    __table_args__ = (sa.Index("effect_subject", "tenant", "trace", "subject", "ordinal"),)

    tenant: str = Field(primary_key=True)
    effect_id: str = Field(primary_key=True)
    trace: str
    ordinal: int = Field(sa_type=BigKey)
    """Place in the trace's order of effects."""
    kind: str
    target: str
    subject: str = ""
    """What a later effect would overwrite (one check, the sticky comment); empty for effects that add up."""
    cause: str
    """Id of the event that was decided on."""
    request: str
    status: str = "waiting"
    attempt: int = 1
    """The attempt of the schedule; a wait the other side asked for does not count."""
    tries: int = 0
    message: str = ""
    updated_at: str


class Lease(SQLModel, table=True):
    """A living process. `renewed_at` is in seconds by the database's clock."""

    __tablename__ = "executor_lease"

    executor_id: str = Field(primary_key=True)
    host: str
    pid: int
    renewed_at: float
    claimed_by: str = ""
    claimed_at: float = 0.0


class Takeover(SQLModel, table=True):
    """How often a piece of work was taken over from a dead process.

    One that kills its worker must not go round.
    """

    __tablename__ = "takeover"

    workflow_id: str = Field(primary_key=True)
    attempts: int = 0


class CaughtUp(SQLModel, table=True):
    """How far a forge was asked for webhook calls that never arrived."""

    __tablename__ = "caught_up"

    forge: str = Field(primary_key=True)
    until: str


class ApiToken(SQLModel, table=True):
    """A bearer token by its hash."""

    __tablename__ = "api_token"

    id: str = Field(primary_key=True)
    name: str
    hash: str
    tenant: str = Field(index=True)
    actor: str
    scopes: str
    """Space-separated."""
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None


# The same tables for statements: columns of a SQLModel class have the types of its fields, not of SQL
# expressions.
EVENTS: Any = EventRow.__table__  # type: ignore[attr-defined]
HEADS: Any = Head.__table__  # type: ignore[attr-defined]
INBOX: Any = Inbox.__table__  # type: ignore[attr-defined]
GENERATIONS: Any = ShardGeneration.__table__  # type: ignore[attr-defined]
LETTERS: Any = DeadLetter.__table__  # type: ignore[attr-defined]
EFFECTS: Any = EffectRow.__table__  # type: ignore[attr-defined]
LEASES: Any = Lease.__table__  # type: ignore[attr-defined]
CAUGHT_UP: Any = CaughtUp.__table__  # type: ignore[attr-defined]
TAKEOVERS: Any = Takeover.__table__  # type: ignore[attr-defined]
TOKENS: Any = ApiToken.__table__  # type: ignore[attr-defined]
