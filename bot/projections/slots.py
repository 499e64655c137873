"""Environments of a module over all traces: who deploys now, who waits, what runs, what was last good.

Updated in the transaction that appends the event, under a lock per module, so that two traces never both hold
an environment.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel

from bot.domain.deployment import Slot
from bot.domain.event import Event

Update = dict[str, Any]
FREE: Update = {"holder_trace": None, "holder_release": None}
NOBODY_WAITS: Update = {"waiting_trace": None, "waiting_release": None}


class SlotRow(SQLModel, table=True):
    """One environment of one module. `body` is `Slot` as JSON."""

    __tablename__ = "slot"

    tenant: str = Field(primary_key=True)
    module_id: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    body: str


SLOTS: Any = SlotRow.__table__  # type: ignore[attr-defined]


def apply(slot: Slot, event: Event) -> Slot:
    """The slot after `event`. Pure; events of other kinds change nothing."""
    change = APPLY.get(event.type)
    return slot.model_copy(update=change(slot, event)) if change else slot


def _started(slot: Slot, event: Event) -> Update:
    mine = slot.waiting_trace == event.trace_id
    return {"holder_trace": event.trace_id, "holder_release": event.data["releaseId"]} | (
        NOBODY_WAITS if mine else {}
    )


def _completed(slot: Slot, event: Event) -> Update:
    good = event.data.get("release") or None
    before = slot.last_known_good
    same = (before or {}).get("releaseId") == (good or {}).get("releaseId")
    return FREE | {
        "running_version": event.data["version"],
        "running_revision": event.data["revision"],
        "running_since": event.time,
        "healthy": True,
        # Deploying the same release again must not make it its own predecessor.
        "previous_good": slot.previous_good if same else before,
        "last_known_good": good,
        # Only a person can have had it deployed again, and it is healthy now.
        "rolled_back": tuple(r for r in slot.rolled_back if r != event.data["releaseId"]),
    }


def _failed(slot: Slot, event: Event) -> Update:
    running = event.data.get("release") or {}
    failed_release = event.data["releaseId"]
    update: Update = FREE | {
        "running_version": running.get("version"),
        "running_revision": running.get("revision"),
        "running_since": event.time if running else None,
        "healthy": bool(running),
    }
    if (slot.last_known_good or {}).get("releaseId") == failed_release:
        # It had been good, and was rolled back afterwards: what runs now is the good one, and nothing
        # is before it.
        update |= {"last_known_good": running or None, "previous_good": None}
    if event.data.get("rolledBackTo") and failed_release not in slot.rolled_back:
        update["rolled_back"] = (*slot.rolled_back, failed_release)
    return update


def _rolling_back(_slot: Slot, event: Event) -> Update:
    return {"holder_trace": event.trace_id, "holder_release": event.data["releaseId"], "healthy": False}


def _stalled(_slot: Slot, event: Event) -> Update:
    if event.data.get("reason") != "environment-busy":
        return {}
    return {"waiting_trace": event.trace_id, "waiting_release": event.data["releaseId"]}


def _unblocked(slot: Slot, event: Event) -> Update:
    return dict(NOBODY_WAITS) if event.data.get("releaseId") == slot.waiting_release else {}


def _renamed(slot: Slot, event: Event) -> Update:
    """What may come back is built from the repository under its new name."""
    moved = {event.data["previous"]: event.data["repository"]}
    kept = {"last_known_good": slot.last_known_good, "previous_good": slot.previous_good}
    return {
        name: good | {"repository": moved[good["repository"]]}
        for name, good in kept.items()
        if good and good.get("repository") in moved
    }


EVERYWHERE = {"RepositoryRenamed"}
"""Facts about all environments of a module."""
APPLY = {
    "RepositoryRenamed": _renamed,
    "DeploymentStarted": _started,
    "DeploymentCompleted": _completed,
    "DeploymentFailed": _failed,
    "RollbackTriggered": _rolling_back,
    "TaskStalled": _stalled,
    "NodeUnblocked": _unblocked,
}


class Slots:
    """The slots that one transaction looks at. `flush` writes what changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._modules: dict[tuple[str, str], dict[str, Slot]] = {}
        self._dirty: dict[tuple[str, str, str], Slot] = {}

    def lock(self, tenant: str, module_id: str) -> None:
        """Only one transaction at a time decides about a module (SQLite has one writer anyway)."""
        if not self._sqlite:
            key = {"key": f"slot\x1f{tenant}\x1f{module_id}"}
            self._session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)

    def of(self, tenant: str, module_id: str) -> dict[str, Slot]:
        """Environment -> slot of a module."""
        if not module_id:
            return {}
        if (tenant, module_id) not in self._modules:
            self.lock(tenant, module_id)
            query = sa.select(SLOTS.c.environment, SLOTS.c.body).where(
                SLOTS.c.tenant == tenant, SLOTS.c.module_id == module_id
            )
            rows = self._session.execute(query)
            self._modules[tenant, module_id] = {name: Slot.model_validate_json(body) for name, body in rows}
        return self._modules[tenant, module_id]

    def record(self, event: Event, module_id: str) -> None:
        """Take an appended event in."""
        environment = str(event.data.get("environment") or event.environment or "")
        if event.type not in APPLY or not module_id:
            return
        slots = self.of(event.tenant_id, module_id)
        about = tuple(slots) if event.type in EVERYWHERE else (environment,) if environment else ()
        for name in about:
            slot = apply(slots.get(name) or Slot(environment=name), event)
            slots[name] = self._dirty[event.tenant_id, module_id, name] = slot

    def flush(self) -> None:
        rows = [
            {
                "tenant": tenant,
                "module_id": module,
                "environment": name,
                "body": json.dumps(slot.to_json(), sort_keys=True),
            }
            for (tenant, module, name), slot in self._dirty.items()
        ]
        if not rows:
            return
        insert = (sqlite if self._sqlite else postgresql).insert(SLOTS)
        keys = ["tenant", "module_id", "environment"]
        self._session.execute(
            insert.on_conflict_do_update(index_elements=keys, set_={"body": insert.excluded.body}), rows
        )
        self._dirty = {}


def read(session: Session, tenant: str, module_id: str | None = None) -> list[tuple[str, Slot]]:
    """(module, slot) of a tenant, for pages and commands."""
    query = sa.select(SLOTS.c.module_id, SLOTS.c.body).where(SLOTS.c.tenant == tenant)
    if module_id is not None:
        query = query.where(SLOTS.c.module_id == module_id)
    rows = session.execute(query.order_by(SLOTS.c.module_id, SLOTS.c.environment))
    return [(module, Slot.model_validate_json(body)) for module, body in rows]
