"""Which trace owns a change, a branch or a revision.

Keys look like `local:acme/booking#7`, `local:acme/booking@feature/x`, `local:acme/booking=<sha>`.

A fact from a forge finds its trace by trailer, then by the first of its hints that is known; else it may
begin a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel

from bot.domain.event import Event, derived_id
from bot.domain.trace import TraceState
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key

CHANGES = frozenset(
    {
        "ChangeOpened",
        "ChangeUpdated",
        "ChangeReopened",
        "ChangeLabelled",
        "ChangeClosed",
        "PullRequestCreated",
    }
)
OWN_WORK = frozenset({"CommitReady", "PullRequestCreated"})
"""After these the branch is this trace's, whoever had it before."""


class TraceKey(SQLModel, table=True):
    """One key and the trace it leads to."""

    __tablename__ = "trace_key"

    tenant: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    trace: str


KEYS: Any = TraceKey.__table__  # type: ignore[attr-defined]


def keys(event: Event, state: TraceState) -> tuple[str, ...]:
    """The keys that `event` establishes for its trace. Pure."""
    data, forge = event.data, _forge(event, state)
    repository = data.get("repository")
    if not repository:
        return ()
    if event.type == "CommitReady":
        return branch_key(forge, repository, data["branch"]), revision_key(forge, repository, data["sha"])
    if event.type in CHANGES:
        return (
            change_key(forge, repository, data["number"]),
            branch_key(forge, repository, data["source"]),
            revision_key(forge, repository, data["head"]),
        )
    if event.type == "ChangeMerged":
        return change_key(forge, repository, data["number"]), revision_key(
            forge, repository, data["mergeSha"]
        )
    if event.type == "Pushed":
        branch = (
            ()
            if data["branch"] == data.get("defaultBranch", "main")
            else (branch_key(forge, repository, data["branch"]),)
        )
        return *branch, revision_key(forge, repository, data["after"])
    return ()


def forgotten(event: Event, state: TraceState) -> tuple[str, ...]:
    """The keys that end with `event`: a branch of that name may begin anew."""
    if event.type != "BranchDeleted":
        return ()
    return (branch_key(_forge(event, state), str(event.data["repository"]), str(event.data["branch"])),)


def record(session: Session, event: Event, state: TraceState) -> None:
    """Write what `event` establishes.

    A key that is owned stays where it is, except for the bot's own work.
    """
    establish(session, event.tenant_id, event.trace_id, keys(event, state), take=event.type in OWN_WORK)
    if gone := forgotten(event, state):
        session.execute(sa.delete(KEYS).where(KEYS.c.tenant == event.tenant_id, KEYS.c.key.in_(gone)))


def establish(session: Session, tenant: str, trace: str, names: Iterable[str], *, take: bool = False) -> None:
    """Let `names` lead to `trace`."""
    rows = [{"tenant": tenant, "key": name, "trace": trace} for name in names]
    if not rows:
        return
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(KEYS)
    index = ["tenant", "key"]
    statement = (
        insert.on_conflict_do_update(index_elements=index, set_={"trace": insert.excluded.trace})
        if take
        else insert.on_conflict_do_nothing(index_elements=index)
    )
    session.execute(statement, rows)


def resolve(
    session: Session, tenant: str, fact: RepositoryFact, *, cause: str, known: dict[str, str]
) -> str | None:
    """The trace of `fact`: by trailer, by hint, or a new one named after `cause`. None: it belongs to nobody.

    `known` are the repositories of traces named by trailers: a commit elsewhere must not speak into a foreign
    trace.
    """
    if fact.trace_id and known.get(fact.trace_id, "") in {"", fact.repository}:
        return fact.trace_id
    owners: dict[str, str] = dict(
        session.execute(
            sa.select(KEYS.c.key, KEYS.c.trace).where(KEYS.c.tenant == tenant, KEYS.c.key.in_(fact.hints))
        )
        
        .all()
    )
    for hint in fact.hints:
        if hint in owners:
            return owners[hint]
    return f"trace-{derived_id(tenant, cause)[:16]}" if fact.new_trace else None


def _forge(event: Event, state: TraceState) -> str:
    return event.source.removeprefix("webhooks/") if event.source.startswith("webhooks/") else state.forge
