"""What people and the bot say about a change: comments, reactions, reviews."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local import webhooks
from bot.forges.local.changes import Impossible, head_of
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.history import Commit
from bot.forges.local.tables import ForgeChange, ForgeComment, ForgeReaction, ForgeReview
from bot.forges.local.telling import get_change

LONGEST = 64 * 1024


@dataclass(frozen=True)
class Words:
    """What a comment says. With `effect_id` it is written once, with `mark` the one that has it is edited."""

    body: str
    mark: str | None = None
    reply_to: str | None = None
    effect_id: str | None = None


def comment(ground: Ground, repository: str, number: int, words: Words, *, login: str) -> ForgeComment:
    """Write a comment. Raises Missing, Impossible."""
    if len(words.body) > LONGEST:
        raise Impossible("TooLong", f"a comment may have {LONGEST} characters at most")
    with ground.read() as session:
        head = head_of(ground, get_change(session, repository, number))
    with ground.write() as session:
        change = get_change(session, repository, number)
        session.refresh(change, with_for_update=True)  # two that write the first sticky comment take turns
        written = _written_before(session, change, words, login)
        if written and (words.effect_id or written.body == words.body):
            return written
        action = "edited" if written else "created"
        if written:
            written.body, written.edited_at = words.body, ground.moment()
        else:
            about = asdict(words) | {"author": login, "created_at": ground.moment()}
            written = ForgeComment(change_id=change.id or 0, **about)
            session.add(written)
        _say(ground, session, written, Said(action, login, head))
        return written


def _written_before(session: Session, change: ForgeChange, words: Words, login: str) -> ForgeComment | None:
    """A sticky comment that somebody deleted is written anew; a single one is not."""
    mine = select(ForgeComment).where(ForgeComment.change_id == change.id, ForgeComment.author == login)
    if words.effect_id:
        return session.scalars(mine.where(ForgeComment.effect_id == words.effect_id)).first()
    if words.mark:
        there = mine.where(ForgeComment.mark == words.mark, col(ForgeComment.deleted_at).is_(None))
        return session.scalars(there).first()
    return None


@dataclass(frozen=True)
class Said:
    """What became of a comment, by whom, and the head commit of its change."""

    action: str
    login: str
    head: Commit | None


def _say(ground: Ground, session: Session, written: ForgeComment, said: Said) -> None:
    session.flush()
    change = session.get_one(ForgeChange, written.change_id)
    webhooks.enqueue(
        ground,
        session,
        change.repository,
        "comment",
        said.login,
        action=said.action,
        comment=webhooks.comment_json(ground, session, written, change),
        change=webhooks.change_json(ground, session, change),
        headCommit=webhooks.head_commit(said.head),
    )


def get_comment(session: Session, repository: str, comment_id: str) -> tuple[ForgeComment, ForgeChange]:
    """A comment that is not deleted, and its change. Raises Missing."""
    found = (
        session.get(ForgeComment, int(comment_id)) if comment_id.isascii() and comment_id.isdigit() else None
    )
    change = session.get(ForgeChange, found.change_id) if found else None
    if found is None or change is None or change.repository != repository or found.deleted_at:
        raise Missing(f"there is no comment {comment_id} in {repository}")
    return found, change


def edit_comment(ground: Ground, repository: str, comment_id: str, *, login: str, body: str) -> ForgeComment:
    """Change the text of a comment; nothing happens when it is so already."""
    with ground.read() as session:
        head = head_of(ground, get_comment(session, repository, comment_id)[1])
    with ground.write() as session:
        written, _ = get_comment(session, repository, comment_id)
        if written.body != body:
            written.body, written.edited_at = body, ground.moment()
            _say(ground, session, written, Said("edited", login, head))
        return written


def delete_comment(ground: Ground, repository: str, comment_id: str, *, login: str) -> None:
    """Take a comment away."""
    with ground.read() as session:
        head = head_of(ground, get_comment(session, repository, comment_id)[1])
    with ground.write() as session:
        written, _ = get_comment(session, repository, comment_id)
        written.deleted_at = ground.moment()
        _say(ground, session, written, Said("deleted", login, head))


def react(ground: Ground, repository: str, comment_id: str, reaction: str, *, login: str) -> None:
    """Put a reaction on a comment, once."""
    with ground.write() as session:
        written, _ = get_comment(session, repository, comment_id)
        session.merge(ForgeReaction(comment_id=written.id or 0, login=login, reaction=reaction))


@dataclass(frozen=True)
class Opinion:
    """A review: approved, changes_requested or commented. `revision`: the head that was looked at."""

    state: str
    revision: str | None = None
    body: str = ""


def review(ground: Ground, repository: str, number: int, opinion: Opinion, *, login: str) -> ForgeReview:
    """Review the head. Raises Impossible, Missing."""
    with ground.read() as session:
        seen = get_change(session, repository, number)
        head = head_of(ground, seen)
    with ground.write() as session:
        change = get_change(session, repository, number)
        if change.head != (opinion.revision or seen.head):
            raise Impossible("HeadMoved", f"the head of change {number} is {change.head[:12]} by now")
        if opinion.state == "approved" and login == change.author:
            raise Impossible("OwnChange", "you cannot approve your own change")
        said = ForgeReview(
            change_id=change.id or 0,
            author=login,
            state=opinion.state,
            revision=change.head,
            body=opinion.body,
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
