"""What people and the bot do to a change: each function is one deed, in one transaction, with its webhook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot.forges.local import history, pipelines, webhooks
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.history import Commit
from bot.forges.local.numbers import next_number
from bot.forges.local.tables import ForgeChange, ForgeLabel, ForgeRepository
from bot.forges.local.telling import add_revision, get_change, say_change, writing


class Impossible(Exception):
    """The change is not in a state in which this can be done; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def head_of(ground: Ground, change: ForgeChange) -> Commit | None:
    """The head commit of a change, whose trailers may name a trace."""
    found = history.commits(ground.folder(change.repository), change.head, limit=1)
    return found[0] if found else None


def find_open(session: Session, repository: str, source: str, target: str) -> ForgeChange | None:
    """The open change from a branch to another, if there is one."""
    return next((c for c in webhooks.open_changes(session, repository, source) if c.target == target), None)


@dataclass(frozen=True)
class Proposal:
    """A change to be opened."""

    source: str
    target: str
    title: str
    body: str = ""
    labels: tuple[str, ...] = ()


def open_change(ground: Ground, repository: str, wanted: Proposal, *, login: str) -> tuple[ForgeChange, bool]:
    """The open change from `source` to `target`, and whether it was made now. Raises Impossible."""
    with writing(ground, repository, login) as folder:
        head, onto = _heads(folder, repository, wanted)
        with ground.read() as session:
            if existing := find_open(session, repository, wanted.source, wanted.target):
                return existing, False
            earlier = webhooks.branch_pushers(session, repository, wanted.source)
        base = history.merge_base(folder, onto, head)
        if base is None or base == head:
            raise Impossible("NothingToMerge", f"{wanted.source} has nothing that {wanted.target} has not")
        commits = history.commits(folder, head, f"^{base}")
        has_pipeline = history.read(folder, head, pipelines.FILE) is not None
        with ground.write() as session:
            change = ForgeChange(
                repository=repository,
                number=next_number(session, repository),
                title=wanted.title,
                body=wanted.body,
                author=login,
                source=wanted.source,
                target=wanted.target,
                head=head,
                base=base,
                created_at=ground.moment(),
                updated_at=ground.moment(),
            )
            session.add(change)
            session.flush()
            session.add_all(
                ForgeLabel(change_id=_id(change), label=label) for label in sorted(set(wanted.labels))
            )
            add_revision(ground, session, change, commits, login, earlier=earlier)
            say_change(ground, session, change, "opened", login, commits[0])
            if has_pipeline:
                pipelines.queue(ground, session, repository, f"refs/heads/{wanted.source}", head, actor=login)
            return change, True


def _heads(folder: Path, repository: str, wanted: Proposal) -> tuple[str, str]:
    """The heads of both branches. Raises Impossible."""
    head, onto = history.branch_head(folder, wanted.source), history.branch_head(folder, wanted.target)
    if head is None or onto is None:
        missing = wanted.source if head is None else wanted.target
        raise Impossible("BranchDeleted", f"there is no branch {missing} in {repository}")
    return head, onto


def _id(row: ForgeChange) -> int:
    assert row.id is not None
    return row.id


def edit(
    ground: Ground,
    repository: str,
    number: int,
    *,
    login: str,
    title: str | None = None,
    body: str | None = None,
) -> ForgeChange:
    """Change title or body; nothing happens when both are so already."""
    with ground.read() as session:
        head = head_of(ground, get_change(session, repository, number))
    with ground.write() as session:
        change = get_change(session, repository, number)
        wanted = (change.title if title is None else title, change.body if body is None else body)
        if wanted != (change.title, change.body):
            change.title, change.body = wanted
            change.updated_at = ground.moment()
            say_change(ground, session, change, "edited", login, head)
        return change


def label(
    ground: Ground,
    repository: str,
    number: int,
    *,
    login: str,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> ForgeChange:
    """Add and remove labels; nothing happens when they are so already."""
    with ground.read() as session:
        head = head_of(ground, get_change(session, repository, number))
    with ground.write() as session:
        change = get_change(session, repository, number)
        before = set(webhooks.labels(session, change))
        after = (before | set(add)) - set(remove)
        for gone in before - after:
            session.delete(session.get_one(ForgeLabel, (change.id, gone)))
        session.add_all(ForgeLabel(change_id=_id(change), label=new) for new in sorted(after - before))
        if after != before:
            say_change(ground, session, change, "labelled", login, head)
        return change


def set_state(ground: Ground, repository: str, number: int, state: str, *, login: str) -> ForgeChange:
    """Close or reopen. Raises Impossible for a merged change, or one whose branch is gone."""
    with writing(ground, repository, login) as folder:
        with ground.read() as session:
            change = get_change(session, repository, number)
            earlier = webhooks.branch_pushers(session, repository, change.source)
        if change.state == state:
            return change
        if change.state == "merged":
            raise Impossible("ChangeMerged", f"change {number} is merged")
        head = history.branch_head(folder, change.source)
        if state == "open" and head is None:
            raise Impossible("BranchDeleted", f"the branch {change.source} of change {number} was deleted")
        commits = history.commits(folder, head or change.head, f"^{change.base}")
        with ground.write() as session:
            change = get_change(session, repository, number)
            change.state, change.updated_at = state, ground.moment()
            if state == "open" and head and head != change.head:
                change.head = head
                add_revision(ground, session, change, commits, login, earlier=earlier)
            newest = commits[0] if commits else None
            say_change(ground, session, change, "closed" if state == "closed" else "reopened", login, newest)
            return change


def default_branch(session: Session, repository: str) -> str:
    """The default branch. Raises Missing for a repository that does not exist."""
    row = session.get(ForgeRepository, repository)
    if row is None:
        raise Missing(f"there is no repository {repository!r}")
    return row.default_branch
