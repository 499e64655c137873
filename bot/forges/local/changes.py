"""What people and the bot do to a change. Each function does one thing, in one transaction, with its webhook."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local import history, pipelines, webhooks
from bot.forges.local.ground import Ground
from bot.forges.local.history import Commit
from bot.forges.local.tables import (
    ForgeChange,
    ForgeComment,
    ForgeLabel,
    ForgeReaction,
    ForgeRepository,
    ForgeReview,
)
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


def open_change(
    ground: Ground,
    repository: str,
    *,
    login: str,
    source: str,
    target: str,
    title: str,
    body: str = "",
    labels: Iterable[str] = (),
) -> tuple[ForgeChange, bool]:
    """The open change from `source` to `target`, and whether it was made now. Raises Impossible."""
    with writing(ground, repository, login) as folder:
        head, onto = history.branch_head(folder, source), history.branch_head(folder, target)
        if head is None or onto is None:
            missing = source if head is None else target
            raise Impossible("BranchDeleted", f"there is no branch {missing} in {repository}")
        with ground.read() as session:
            if existing := find_open(session, repository, source, target):
                return existing, False
        base = history.merge_base(folder, onto, head)
        if base is None or base == head:
            raise Impossible("NothingToMerge", f"{source} has nothing that {target} has not")
        commits = history.commits(folder, head, f"^{base}")
        has_pipeline = history.read(folder, head, pipelines.FILE) is not None
        with ground.write() as session:
            change = ForgeChange(
                repository=repository,
                number=_next_number(session, repository),
                title=title,
                body=body,
                author=login,
                source=source,
                target=target,
                head=head,
                base=base,
                created_at=ground.moment(),
                updated_at=ground.moment(),
            )
            session.add(change)
            session.flush()
            session.add_all(ForgeLabel(change_id=_id(change), label=label) for label in sorted(set(labels)))
            add_revision(ground, session, change, commits, login)
            say_change(ground, session, change, "opened", login, commits[0])
            if has_pipeline:
                pipelines.queue(ground, session, repository, f"refs/heads/{source}", head, actor=login)
            return change, True


def _next_number(session: Session, repository: str) -> int:
    wanted = select(func.max(col(ForgeChange.number))).where(ForgeChange.repository == repository)
    return (session.scalar(wanted) or 0) + 1


def _id(row: ForgeChange | ForgeComment) -> int:
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
                add_revision(ground, session, change, commits, login)
            newest = commits[0] if commits else None
            say_change(ground, session, change, "closed" if state == "closed" else "reopened", login, newest)
            return change


def comment(
    ground: Ground,
    repository: str,
    number: int,
    *,
    login: str,
    body: str,
    mark: str | None = None,
    reply_to: str | None = None,
    effect_id: str | None = None,
) -> ForgeComment:
    """Write a comment: with `effect_id` once, with `mark` by editing the one that has it."""
    with ground.read() as session:
        head = head_of(ground, get_change(session, repository, number))
    with ground.write() as session:
        change = get_change(session, repository, number)
        session.refresh(change, with_for_update=True)  # two that write the first sticky comment take turns
        written = _written_before(session, change, login, mark, effect_id)
        action = "edited" if written else "created"
        if written and (effect_id or written.body == body):
            return written
        if written:
            written.body, written.edited_at = body, ground.moment()
        else:
            written = ForgeComment(
                change_id=_id(change),
                author=login,
                body=body,
                mark=mark,
                reply_to=reply_to,
                effect_id=effect_id,
                created_at=ground.moment(),
            )
            session.add(written)
        _say_comment(ground, session, written, change, action, login, head)
        return written


def _written_before(
    session: Session, change: ForgeChange, login: str, mark: str | None, effect_id: str | None
) -> ForgeComment | None:
    """A sticky comment that somebody deleted is written anew; a single one is not."""
    mine = select(ForgeComment).where(ForgeComment.change_id == change.id, ForgeComment.author == login)
    if effect_id:
        return session.scalars(mine.where(ForgeComment.effect_id == effect_id)).first()
    if mark:
        return session.scalars(
            mine.where(ForgeComment.mark == mark, col(ForgeComment.deleted_at).is_(None))
        ).first()
    return None


def _say_comment(  # noqa: PLR0913, PLR0917 - what a webhook says
    ground: Ground,
    session: Session,
    written: ForgeComment,
    change: ForgeChange,
    action: str,
    login: str,
    head: Commit | None,
) -> None:
    session.flush()
    webhooks.enqueue(
        ground,
        session,
        change.repository,
        "comment",
        login,
        action=action,
        comment=webhooks.comment_json(ground, session, written, change),
        change=webhooks.change_json(ground, session, change),
        headCommit=webhooks.head_commit(head),
    )


def get_comment(session: Session, repository: str, comment_id: str) -> tuple[ForgeComment, ForgeChange]:
    """A comment that is not deleted, and its change. Raises LookupError."""
    found = (
        session.get(ForgeComment, int(comment_id)) if comment_id.isascii() and comment_id.isdigit() else None
    )
    change = session.get(ForgeChange, found.change_id) if found else None
    if found is None or change is None or change.repository != repository or found.deleted_at:
        raise LookupError(f"there is no comment {comment_id} in {repository}")
    return found, change


def edit_comment(ground: Ground, repository: str, comment_id: str, *, login: str, body: str) -> ForgeComment:
    """Change the text of a comment; nothing happens when it is so already."""
    with ground.read() as session:
        head = head_of(ground, get_comment(session, repository, comment_id)[1])
    with ground.write() as session:
        written, change = get_comment(session, repository, comment_id)
        if written.body != body:
            written.body, written.edited_at = body, ground.moment()
            _say_comment(ground, session, written, change, "edited", login, head)
        return written


def delete_comment(ground: Ground, repository: str, comment_id: str, *, login: str) -> None:
    """Take a comment away."""
    with ground.read() as session:
        head = head_of(ground, get_comment(session, repository, comment_id)[1])
    with ground.write() as session:
        written, change = get_comment(session, repository, comment_id)
        written.deleted_at = ground.moment()
        _say_comment(ground, session, written, change, "deleted", login, head)


def react(ground: Ground, repository: str, comment_id: str, reaction: str, *, login: str) -> None:
    """Put a reaction on a comment, once."""
    with ground.write() as session:
        written, _ = get_comment(session, repository, comment_id)
        session.merge(ForgeReaction(comment_id=_id(written), login=login, reaction=reaction))


def review(
    ground: Ground,
    repository: str,
    number: int,
    *,
    login: str,
    state: str,
    revision: str | None = None,
    body: str = "",
) -> ForgeReview:
    """Review the head, or `revision` if that is the head still. Raises Impossible."""
    with ground.read() as session:
        seen = get_change(session, repository, number)
        head = head_of(ground, seen)
    with ground.write() as session:
        change = get_change(session, repository, number)
        if change.head != (revision or seen.head):
            raise Impossible("HeadMoved", f"the head of change {number} is {change.head[:12]} by now")
        if state == "approved" and login == change.author:
            raise Impossible("OwnChange", "you cannot approve your own change")
        said = ForgeReview(
            change_id=_id(change),
            author=login,
            state=state,
            revision=change.head,
            body=body,
            submitted_at=ground.moment(),
        )
        session.add(said)
        session.flush()
        webhooks.enqueue(
            ground,
            session,
            repository,
            "review",
            login,
            review=webhooks.review_json(said),
            change=webhooks.change_json(ground, session, change),
            headCommit=webhooks.head_commit(head),
        )
        return said


def default_branch(session: Session, repository: str) -> str:
    """The default branch. Raises LookupError for a repository that does not exist."""
    row = session.get(ForgeRepository, repository)
    if row is None:
        raise LookupError(f"there is no repository {repository!r}")
    return row.default_branch
