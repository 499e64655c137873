"""Which trace owns a change, a branch or a revision.

Keys look like `local:acme/booking#7`, `local:acme/booking@feature/x`, `local:acme/booking=<sha>`; a release's
`release:release-0123456789` leads to the page of its verdict.

A fact from a forge finds its trace by its change, then by its branch; a `Trace-Id:` trailer is believed only
of the bot (docs/adr/0007-who-may-speak-into-a-trace.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel

from bot.domain.event import Event, derived_id
from bot.domain.trace import TraceState
from bot.forges.port import RepositoryFact, branch_key, change_key, revision_key
from bot.log.store import in_list, listed
from bot.messages import BOT

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
BY_REVISION = frozenset(
    {"PipelineFinished", "StatusReported", "CheckRequested", "CheckActionRequested", "DeploymentRequested"}
)
"""About a revision first of all; a branch that nobody knows does not make them somebody else's."""
OWN_WORK = frozenset({"CommitReady", "PullRequestCreated"})
"""After these the branch is this trace's, whoever had it before."""
VERDICT = "pointsman.VerdictChanged"
KEYED = CHANGES | OWN_WORK | {"ChangeMerged", "Pushed", "BranchDeleted"}
KEYED = CHANGES | OWN_WORK | {"ChangeMerged", "Pushed", "BranchDeleted", "RepositoryRenamed"}
"""All that establish or end keys."""
MARKS = ("#", "@", "=")
"""What stands behind the repository in a key of a change, a branch, a revision."""
OURS = re.compile(r"pointsman|webhooks/.*")
"""Sources of what the engine decided or a forge delivered: nobody else may say whose a branch is."""


class TraceKey(SQLModel, table=True):
    """One key and the trace it leads to."""

    __tablename__ = "trace_key"

    tenant: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    trace: str


KEYS: Any = TraceKey.__table__  # type: ignore[attr-defined]


OWNERS = {
    sqlite: sa.text(
        "SELECT key, trace FROM trace_key WHERE tenant = :tenant AND " + in_list("key", "keys", sqlite=sqlite)  # noqa: S608 - constants only
    )
    for sqlite in (True, False)
}
ESTABLISH = (
    "INSERT INTO trace_key (tenant, key, trace) VALUES (:tenant, :key, :trace) ON CONFLICT (tenant, key) "
)
KEEP = sa.text(ESTABLISH + "DO NOTHING")
GONE = sa.text("DELETE FROM trace_key WHERE tenant = :tenant AND key = :key")
TAKE = sa.text(ESTABLISH + "DO UPDATE SET trace = excluded.trace")


def release_key(release: str) -> str:
    """The key of a release: the first trace that had a verdict on it."""
    return f"release:{release}"


def owner(session: Session, tenant: str, key: str) -> str | None:
    """The trace that a key leads to."""
    found: str | None = session.execute(
        sa.select(KEYS.c.trace).where(KEYS.c.tenant == tenant, KEYS.c.key == key)
    ).scalar()
    return found


def keys(event: Event, state: TraceState) -> tuple[str, ...]:
    """The keys that `event` establishes for its trace. Pure."""
    data, forge = event.data, _forge(event, state)
    repository = data.get("repository")
    if not repository:
        return ()
    if event.type == "CommitReady":
        return branch_key(forge, repository, data["branch"]), revision_key(forge, repository, data["sha"])
    if event.type in CHANGES:
        # A fork's branch is no branch of this repository, whatever it is called.
        branch = () if data.get("fork") else (branch_key(forge, repository, data["source"]),)
        return (
            change_key(forge, repository, data["number"]),
            *branch,
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


class TraceKeys:
    """The keys that one transaction looks at. What is set here is seen here at once; `flush` writes it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._owners: dict[tuple[str, str], str | None] = {}
        self._new: dict[tuple[str, str], str] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def preload(self, tenant: str, names: Iterable[str]) -> None:
        """Read the owners of many keys with one query."""
        unknown = sorted({name for name in names if (tenant, name) not in self._owners})
        if not unknown:
            return
        sqlite_ = self._session.get_bind().dialect.name == "sqlite"
        found = self._session.execute(
            OWNERS[sqlite_], {"tenant": tenant, "keys": listed(unknown, sqlite=sqlite_)}
        )
        self._owners |= {(tenant, name): None for name in unknown}
        self._owners |= {(tenant, row.key): row.trace for row in found}

    def resolve(
        self, tenant: str, fact: RepositoryFact, *, cause: str, repository: Callable[[str], str]
    ) -> str | None:
        """The trace of `fact`, or a new one named after `cause`. None: nobody's.

        The owner of its change, else of its branch, in the order of the hints. A revision leads to its owner
        when the fact has neither of them, or is about the revision itself: whoever pushes a known commit as
        a branch of their own begins a trace. Last, a trailer leads where it says when the bot itself is the
        actor; of anybody else it counts for nothing, neither to join a trace nor to name a new one.
        `repository` tells where a trace lives: nobody speaks into one of another repository.
        """
        self.preload(tenant, fact.hints)
        for hint in _believed(fact):
            if owner := self._owners[tenant, hint]:
                return owner
        spoken = fact.trace_id if fact.draft.actor == BOT else None
        if spoken and repository(spoken) in {"", fact.repository}:
            return spoken
        return f"trace-{derived_id(tenant, cause)[:16]}" if fact.new_trace else None

    def establish(self, tenant: str, trace: str, names: Iterable[str], *, take: bool = False) -> None:
        """Let `names` lead to `trace`.

        A key that is owned stays where it is, unless `take` says otherwise.
        """
        names = tuple(names)
        self.preload(tenant, names)
        for name in names:
            owner = self._owners[tenant, name]
            if owner is None or (take and owner != trace):
                self._owners[tenant, name] = trace
                (self._taken if take else self._new)[tenant, name] = trace

    def record(self, event: Event, state: TraceState) -> None:
        """Take in what an appended event establishes or ends, when it is one of ours."""
        if not OURS.fullmatch(event.source):
            return
        if event.type == VERDICT and event.release_id:
            # Not asked for first, as the others are: a freeze that ends tells thousands of verdicts again.
            self._new[event.tenant_id, release_key(event.release_id)] = event.trace_id
        if event.type == "RepositoryRenamed":
            moved = event.data["repository"], event.data["previous"]
            self.rename(event.tenant_id, _forge(event, state), *moved)
        if found := keys(event, state):
            self.establish(event.tenant_id, event.trace_id, found, take=event.type in OWN_WORK)
        if gone := forgotten(event, state):
            self.flush()
            self._owners |= {(event.tenant_id, name): None for name in gone}
            self._session.execute(
                sa.delete(KEYS).where(KEYS.c.tenant == event.tenant_id, KEYS.c.key.in_(gone))
            )

    def rename(self, tenant: str, forge: str, repository: str, previous: str) -> None:
        """All keys of a repository are those of its new name: whoever has the old name next is somebody else.

        Done again it finds nothing.
        """
        self.flush()
        old, new = f"{forge}:{previous}", f"{forge}:{repository}"
        query = sa.select(KEYS.c.key, KEYS.c.trace).where(
            KEYS.c.tenant == tenant, KEYS.c.key.startswith(old, autoescape=True)
        )
        # SQLite's LIKE does not mind the case, and `acme/shop` also begins `acme/shop-web`.
        rows = [
            row for row in self._session.execute(query) if row.key.startswith(tuple(old + m for m in MARKS))
        ]
        if not rows:
            return
        self._session.execute(GONE, [{"tenant": tenant, "key": row.key} for row in rows])
        for row in rows:
            key = new + row.key.removeprefix(old)
            self._owners |= {(tenant, row.key): None, (tenant, key): row.trace}
            self._taken[tenant, key] = row.trace
        self.flush()

    def flush(self) -> None:
        """Write what is new; a key that somebody else has by now stays where it is, unless it was taken."""
        for statement, found in ((KEEP, self._new), (TAKE, self._taken)):
            if found:
                rows = [
                    {"tenant": tenant, "key": name, "trace": found[tenant, name]}
                    for tenant, name in sorted(found)
                ]
                self._session.execute(statement, rows)
                found.clear()


def _believed(fact: RepositoryFact) -> tuple[str, ...]:
    """The hints that may lead a fact to its trace."""
    revision = revision_key("", fact.repository, "")
    named = tuple(hint for hint in fact.hints if revision not in hint)
    return named if named and fact.draft.type not in BY_REVISION else fact.hints


def _forge(event: Event, state: TraceState) -> str:
    return event.source.removeprefix("webhooks/") if event.source.startswith("webhooks/") else state.forge
