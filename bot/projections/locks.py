"""Environments that somebody has locked, for every release of their repository.

Written in the transaction that appends the event, so that whatever is decided after it sees the lock.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.release import Lock

Place = tuple[str, str, str]
"""Tenant, forge, repository."""
Known = dict[Place, dict[str, Lock]]


class EnvironmentLock(SQLModel, table=True):
    """One locked environment. A row is there as long as the lock is."""

    __tablename__ = "environment_lock"

    tenant: str = Field(primary_key=True)
    forge: str = Field(primary_key=True)
    repository: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    by: str
    reason: str = ""
    at: str


LOCKS: Any = EnvironmentLock.__table__  # type: ignore[attr-defined]
APPLY = frozenset({"pointsman.EnvironmentLocked", "pointsman.EnvironmentUnlocked"})
KEY = ("tenant", "forge", "repository", "environment")


def apply(locks: dict[str, Lock], event: Event) -> dict[str, Lock]:
    """A repository's locks after `event`. Pure; events of other kinds change nothing."""
    if event.type not in APPLY:
        return locks
    said = read(event, p.EnvironmentLocked)
    others = {name: lock for name, lock in locks.items() if name != said.environment}
    if event.type == "pointsman.EnvironmentUnlocked":
        return others
    return others | {said.environment: Lock(by=event.actor or "", reason=said.reason, at=event.time)}


class Locks:
    """The locks that one transaction looks at. `flush` writes what changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._tenants: dict[str, Known] = {}
        self._dirty: set[tuple[str, str, str, str]] = set()

    def of(self, tenant: str, forge: str, repository: str) -> dict[str, Lock]:
        """Environment -> lock of a repository. A tenant's are read at once: they are few."""
        if tenant not in self._tenants:
            self._tenants[tenant] = read_all(self._session, tenant)
        return self._tenants[tenant].get((tenant, forge, repository), {})

    def record(self, event: Event) -> None:
        """Take an appended event in."""
        if event.type not in APPLY:
            return
        said = read(event, p.EnvironmentLocked)
        place = (event.tenant_id, said.forge, said.repository)
        locks = apply(self.of(*place), event)
        self._tenants[event.tenant_id][place] = locks
        self._dirty.add((*place, said.environment))

    def flush(self) -> None:
        """Write, and delete, what changed."""
        insert = (sqlite if self._sqlite else postgresql).insert(LOCKS)
        for key in sorted(self._dirty):
            lock = self._tenants[key[0]][key[:3]].get(key[3])
            mine = dict(zip(KEY, key, strict=True))
            if lock is None:
                self._session.execute(sa.delete(LOCKS).where(*(LOCKS.c[name] == mine[name] for name in KEY)))
                continue
            said = {"by": lock.by, "reason": lock.reason, "at": rfc3339(lock.at) if lock.at else ""}
            upsert = insert.values(mine | said)
            self._session.execute(upsert.on_conflict_do_update(index_elements=list(KEY), set_=said))
        self._dirty = set()


def read_all(session: Session, tenant: str) -> Known:
    """Every lock of a tenant."""
    found: Known = {}
    for row in session.execute(sa.select(LOCKS).where(LOCKS.c.tenant == tenant)):
        locks = found.setdefault((row.tenant, row.forge, row.repository), {})
        locks[row.environment] = Lock.model_validate({"by": row.by, "reason": row.reason, "at": row.at})
    return found
