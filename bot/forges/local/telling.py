"""Who may write to a repository at a time, and telling the world what became of its refs.

Every writer (a push, a commit of the bot, a merge) holds the repository's lock file, and before letting go
compares Git's refs with the ones last told (`forge_refs`). The difference becomes webhooks, new heads of
changes and queued pipelines, in one transaction. The lock file names its holder: a writer that died after
moving a ref and before telling is told for by the next one.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session
from sqlmodel import select

from bot.domain.errors import Retryable
from bot.forges.local import history, links, people, pipelines, webhooks
from bot.forges.local.git import ZERO
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.history import Commit
from bot.forges.local.tables import ForgeChange, ForgeRef, ForgeRepository, ForgeRevision

LOCK = "pointsman.lock"
LOCK_TIMEOUT_S = 30.0


@contextmanager
def writing(ground: Ground, repository: str, login: str) -> Iterator[Path]:
    """The repository's folder, for one writer; what it did is told at the end. Raises Missing, Retryable.

    Take it before a database transaction, never inside one.
    """
    folder = ground.folder(repository)
    with _locked(folder, repository) as lock:
        tell(ground, repository, Path(lock).read_text(encoding="utf-8") or login)
        Path(lock).write_text(login, encoding="utf-8")
        try:
            yield folder
        finally:
            tell(ground, repository, login)


def tell_leftovers(ground: Ground) -> None:
    """Look at every repository once, because the next writer may be a long time in coming."""
    with ground.read() as session:
        names = list(session.scalars(select(ForgeRepository.name)))
    for name in names:
        # Whoever holds the lock for so long is alive, and tells what it did.
        with suppress(Retryable), writing(ground, name, ground.settings.bot_login):
            pass


@contextmanager
def _locked(folder: Path, repository: str) -> Iterator[Path]:
    if not folder.is_dir():
        raise Missing(f"there is no repository {repository!r}")
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    with (folder / LOCK).open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Retryable(f"{repository} has been busy for {LOCK_TIMEOUT_S:.0f} s") from None
                time.sleep(0.01)
        yield folder / LOCK  # closing the file lets go


@dataclass(frozen=True)
class Movement:
    """One ref that is not where it was last told to be, with what Git says about it."""

    ref: str
    before: str
    after: str
    commits: list[Commit] = field(default_factory=list)
    paths: tuple[str, ...] = ()
    forced: bool = False
    head: Commit | None = None
    pipeline: bool = False
    """There is a pipeline to run in the tree."""

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


@dataclass(frozen=True)
class Head:
    """The new head of an open change."""

    number: int
    base: str
    commits: list[Commit]


@dataclass(frozen=True)
class Merge:
    """An open change that is in its target now, by the commit `sha`."""

    number: int
    sha: str
    tree: str
    head_tree: str
    newest: Commit | None


def tell(ground: Ground, repository: str, pusher: str) -> None:
    """Tell every difference between Git and what was told. The caller holds the lock."""
    folder = ground.folder(repository)
    actual = history.refs(folder)
    with ground.read() as session:
        told = {
            row.ref: row.sha
            for row in session.scalars(select(ForgeRef).where(ForgeRef.repository == repository))
        }
        if told == actual:
            return
        changes = list(
            session.scalars(
                select(ForgeChange).where(ForgeChange.repository == repository, ForgeChange.state == "open")
            )
        )
    moved = [ref for ref in sorted(told.keys() | actual.keys()) if told.get(ref) != actual.get(ref)]
    movements = [_movement(folder, ref, told, actual.get(ref, ZERO)) for ref in moved]
    heads = [
        found for change in changes for movement in movements if (found := _head(folder, change, movement))
    ]
    landed = [
        merge
        for change in changes
        for movement in movements
        if (merge := _landed(folder, change, movement, actual))
    ]
    with ground.write() as session:
        for movement in movements:
            _record(ground, session, repository, movement, pusher)
        for head in heads:
            _move_change(ground, session, repository, head, pusher)
        for merged in landed:
            _merge_change(ground, session, repository, merged, pusher)


def _movement(folder: Path, ref: str, told: dict[str, str], after: str) -> Movement:
    before = told.get(ref, ZERO)
    if after == ZERO:
        return Movement(ref, before, after)
    others = [sha for other, sha in told.items() if other.startswith("refs/heads/")]
    commits = history.pushed_commits(folder, before, after, others)
    return Movement(
        ref,
        before,
        after,
        commits=commits,
        paths=history.paths(folder, _base(folder, before, commits), after)
        if commits or before != ZERO
        else (),
        forced=before != ZERO and not history.is_ancestor(folder, before, after),
        head=history.commits(folder, after, limit=1)[0],
        pipeline=history.read(folder, after, pipelines.FILE) is not None,
    )


def _base(folder: Path, before: str, commits: list[Commit]) -> str:
    """What a push is compared with: where the ref was or, for a new one, where its first commit began."""
    return before if before != ZERO else history.resolve(folder, f"{commits[-1].sha}^") or ZERO


def _head(folder: Path, change: ForgeChange, movement: Movement) -> Head | None:
    if movement.branch != change.source or movement.after in {ZERO, change.head}:
        return None
    base = history.merge_base(folder, f"refs/heads/{change.target}", movement.after) or change.base
    return Head(change.number, base, history.commits(folder, movement.after, f"^{base}"))


def _landed(folder: Path, change: ForgeChange, movement: Movement, refs: dict[str, str]) -> Merge | None:
    """The target now contains the head, or the commit that a merge has made of it."""
    if movement.branch != change.target or movement.after == ZERO:
        return None
    head = refs.get(f"refs/heads/{change.source}", change.head)
    if not any(history.is_ancestor(folder, sha, movement.after) for sha in (change.merging, head) if sha):
        return None
    sha = change.merging or movement.after
    return Merge(
        change.number, sha, history.tree_of(folder, sha), history.tree_of(folder, head), movement.head
    )


def _record(ground: Ground, session: Session, repository: str, movement: Movement, pusher: str) -> None:
    if movement.after == ZERO:
        session.delete(session.get_one(ForgeRef, (repository, movement.ref)))
    else:
        session.merge(ForgeRef(repository=repository, ref=movement.ref, sha=movement.after))
    kind, name = (
        ("branch", movement.branch) if movement.branch else ("tag", movement.ref.removeprefix("refs/tags/"))
    )
    changes = webhooks.open_changes(session, repository, movement.branch or "")
    webhooks.enqueue(
        ground,
        session,
        repository,
        "push",
        pusher,
        **{kind: name},
        ref=movement.ref,
        before=movement.before,
        after=movement.after,
        forced=movement.forced,
        **webhooks.push_json(movement.commits, movement.paths),
        changes=[change.number for change in changes],
        headCommit=webhooks.head_commit(movement.head),
    )
    if movement.pipeline:
        where = movement.before if movement.branch else None  # of a tag GitLab compares nothing
        pipelines.queue(ground, session, repository, movement.ref, movement.after, actor=pusher, before=where)


def add_revision(
    ground: Ground,
    session: Session,
    change: ForgeChange,
    commits: list[Commit],
    pusher: str,
    *,
    earlier: Iterable[str] = (),
) -> None:
    """Remember the change's head, who pushed it and who has a part in it.

    `earlier` are people who pushed to the branch while there was no open change to remember it.
    """
    session.add_all(
        ForgeRevision(change_id=change.id or 0, sha=change.head, pusher=login, seen_at=ground.moment())
        for login in sorted(set(earlier))
    )
    session.flush()
    logins = people.by_address(session)

    def known(addresses: list[str]) -> list[str]:
        return sorted({logins.get(address, address) for address in addresses})

    co_authors = [address for commit in commits for address in commit.co_authors]
    wrote = [address for commit in commits for address in (commit.author, commit.committer)]
    session.add(
        ForgeRevision(
            change_id=change.id or 0,
            sha=change.head,
            pusher=pusher,
            seen_at=ground.moment(),
            committers=known(wrote + co_authors),
            co_authors=known(co_authors),
        )
    )
    session.flush()


def get_change(session: Session, repository: str, number: int) -> ForgeChange:
    """A change by its number. Raises Missing."""
    wanted = select(ForgeChange).where(ForgeChange.repository == repository, ForgeChange.number == number)
    change = session.scalars(wanted).one_or_none()
    if change is None:
        raise Missing(f"there is no change {number} in {repository}")
    return change


def _move_change(ground: Ground, session: Session, repository: str, head: Head, pusher: str) -> None:
    change = get_change(session, repository, head.number)
    newest = head.commits[0] if head.commits else None
    told = session.get_one(ForgeRef, (repository, f"refs/heads/{change.source}"))
    change.head, change.base, change.updated_at = told.sha, head.base, ground.moment()
    add_revision(ground, session, change, head.commits, pusher)
    say_change(ground, session, change, "updated", pusher, newest)


def _merge_change(ground: Ground, session: Session, repository: str, merge: Merge, pusher: str) -> None:
    change = get_change(session, repository, merge.number)
    change.state, change.merged_by, change.updated_at = "merged", pusher, ground.moment()
    change.merge_sha, change.tree, change.head_tree, change.merging = (
        merge.sha,
        merge.tree,
        merge.head_tree,
        None,
    )
    links.close_merged(ground, session, change)
    say_change(ground, session, change, "merged", pusher, merge.newest)


def say_change(
    ground: Ground, session: Session, change: ForgeChange, action: str, login: str, head: Commit | None
) -> None:
    """Enqueue a `change` webhook."""
    session.flush()
    webhooks.enqueue(
        ground,
        session,
        change.repository,
        "change",
        login,
        action=action,
        change=webhooks.change_json(ground, session, change),
        headCommit=webhooks.head_commit(head),
    )
