"""The envelope: an immutable fact of one trace (CloudEvents 1.0 with our extension attributes).

A *draft* is what a decision wants to say; the log stamps it with id, time, sequence and cause and it becomes
an *event*.
Wire names (`traceid`) are CloudEvents'; JSON API and database use camelCase (`traceId`).
"""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import Field

from bot.domain.canonical import canonical_json
from bot.domain.model import Model, Moment

GENESIS = "0" * 64


class Context(Model):
    """The attributes that tell which thread of work, and which part of it, a fact belongs to."""

    subject: str | None = None
    session_id: str | None = None
    parent_trace_id: str | None = None
    project_id: str | None = None
    module_id: str | None = None
    environment: str | None = None
    release_id: str | None = None
    blueprint_id: str | None = None
    sprint_id: str | None = None
    milestone_id: str | None = None
    feature_id: str | None = None
    edition_id: str | None = None
    task_id: str | None = None
    agent_id: str | None = None
    skill_id: str | None = None
    status: str | None = None
    component_tag: str | None = None
    actor: str | None = None


class Draft(Context):
    """A fact not yet in the log."""

    type: str
    data: dict[str, Any] = Field(default_factory=dict)


class Event(Context):
    """A fact as the log keeps it. `sequence` counts from 1 within the trace."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    time: Moment
    tenant_id: str
    trace_id: str
    sequence: int = 0
    causation_id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    def canonical(self) -> bytes:
        """The whole envelope as canonical JSON (RFC 8785): what is stored and hashed."""
        return canonical_json(self.to_json())


def chain(previous: str, body: bytes) -> str:
    """Hash of one link: SHA-256(previous hash || canonical body), hexadecimal."""
    return hashlib.sha256(bytes.fromhex(previous) + body).hexdigest()


def derived_id(*parts: str) -> str:
    """An id that is the same whenever the same cause says the same thing (32 hexadecimal digits)."""
    told_apart = "".join(f"{len(part)}:{part}" for part in parts)  # no part can look like two
    return hashlib.sha256(told_apart.encode()).hexdigest()[:32]


def stamp(draft: Draft, *, cause: Event, index: int) -> Event:
    """Turn the `index`-th draft caused by `cause` into an event of the same trace.

    Time and ids come from the cause, so that deciding again gives the same event.
    """
    inherited = {
        name: getattr(cause, name)
        for name in (
            "project_id",
            "module_id",
            "sprint_id",
            "milestone_id",
            "feature_id",
            "edition_id",
            "blueprint_id",
        )
    }
    said = {name: value for name, value in draft.model_dump().items() if value is not None}
    return Event(
        **(inherited | said),
        id=derived_id(cause.tenant_id, cause.trace_id, cause.id, str(index), draft.type),
        source="pointsman",
        time=cause.time,
        tenant_id=cause.tenant_id,
        trace_id=cause.trace_id,
        causation_id=cause.id,
    )
