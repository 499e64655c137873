"""`/forge/api`: changes, comments, reviews, merging."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlmodel import col, select

from bot.forges.local import changes, comments, history, webhooks
from bot.forges.local.changes import default_branch
from bot.forges.local.comments import get_comment
from bot.forges.local.merge import Wish, merge
from bot.forges.local.people import NotAllowed
from bot.forges.local.tables import ForgeChange, ForgeComment, ForgeReaction, ForgeReview
from bot.forges.local.telling import get_change
from bot.forges.local.web.answers import ApiRoute
from bot.forges.local.web.bodies import ChangeEdit, CommentText, NewChange, NewMerge, NewReview
from bot.forges.local.web.calls import By, Call, Repository

Json = dict[str, Any]
CHANGES = "/repositories/{owner}/{name}/changes"
COMMENTS = "/repositories/{owner}/{name}/comments"
routes = APIRouter(prefix="/forge/api", route_class=ApiRoute, tags=["embedded forge"])


def _change(by: Call, repository: str, number: int) -> Json:
    with by.ground.read() as session:
        return webhooks.change_json(by.ground, session, get_change(session, repository, number))


@routes.post(CHANGES, status_code=201)
def open_change(by: By, repository: Repository, body: NewChange) -> Json:
    """The open change of these branches, made if there is none."""
    by.may(repository, "write")
    with by.ground.read() as session:
        target = body.target or default_branch(session, repository)
    wanted = changes.Proposal(body.source, target, body.title, body.body, body.labels)
    change, _ = changes.open_change(by.ground, repository, wanted, login=by.login)
    return _change(by, repository, change.number)


@routes.get(CHANGES)
def list_changes(by: By, repository: Repository, state: str = "") -> list[Json]:
    """All changes, the newest first; `state`: open, closed or merged only."""
    by.may(repository, "read")
    with by.ground.read() as session:
        wanted = select(ForgeChange).where(ForgeChange.repository == repository)
        wanted = wanted.where(ForgeChange.state == state) if state else wanted
        rows = session.scalars(wanted.order_by(col(ForgeChange.number).desc())).all()
        return [webhooks.change_json(by.ground, session, row) for row in rows]


@routes.get(CHANGES + "/{number}")
def read_change(by: By, repository: Repository, number: int) -> Json:
    """One change."""
    by.may(repository, "read")
    return _change(by, repository, number)


@routes.patch(CHANGES + "/{number}")
def edit_change(by: By, repository: Repository, number: int, body: ChangeEdit) -> Json:
    """Title, body, labels, state."""
    by.may(repository, "write")
    login = by.login
    if body.title is not None or body.body is not None:
        changes.edit(by.ground, repository, number, login=login, title=body.title, body=body.body)
    if body.add_labels or body.remove_labels:
        changes.label(
            by.ground, repository, number, login=login, add=body.add_labels, remove=body.remove_labels
        )
    if body.state is not None:
        changes.set_state(by.ground, repository, number, body.state, login=login)
    return _change(by, repository, number)


@routes.get(CHANGES + "/{number}/diff")
def read_diff(by: By, repository: Repository, number: int) -> Json:
    """What the change changes, as text."""
    by.may(repository, "read")
    with by.ground.read() as session:
        change = get_change(session, repository, number)
    text, cut = history.diff(by.ground.folder(repository), change.base, change.head)
    return {"base": change.base, "head": change.head, "diff": text, "cut": cut}


@routes.post(CHANGES + "/{number}/merge")
def merge_change(by: By, repository: Repository, number: int, body: NewMerge) -> Json:
    """Merge, if branch protection lets you."""
    by.may(repository, "write")
    title = _change(by, repository, number)["title"]
    message = body.message or f"{title} (#{number})"
    merge(by.ground, Wish(repository, number, body.head, body.method, message, {}), login=by.login)
    return _change(by, repository, number)


@routes.post(CHANGES + "/{number}/reviews", status_code=201)
def review_change(by: By, repository: Repository, number: int, body: NewReview) -> Json:
    """Approve, ask for changes, or only say something."""
    by.may(repository, "read")
    opinion = comments.Opinion(body.state, body.revision, body.body)
    said = comments.review(by.ground, repository, number, opinion, login=by.login)
    return webhooks.review_json(said)


@routes.get(CHANGES + "/{number}/reviews")
def list_reviews(by: By, repository: Repository, number: int) -> list[Json]:
    """All reviews, the oldest first."""
    by.may(repository, "read")
    with by.ground.read() as session:
        change = get_change(session, repository, number)
        wanted = select(ForgeReview).where(ForgeReview.change_id == change.id).order_by(col(ForgeReview.id))
        return [webhooks.review_json(row) for row in session.scalars(wanted)]


@routes.post(CHANGES + "/{number}/comments", status_code=201)
def write_comment(by: By, repository: Repository, number: int, body: CommentText) -> Json:
    """Say something, or give a command to the bot."""
    by.may(repository, "read")
    written = comments.comment(by.ground, repository, number, comments.Words(body.body), login=by.login)
    return _comment(by, written)


@routes.get(CHANGES + "/{number}/comments")
def list_comments(by: By, repository: Repository, number: int) -> list[Json]:
    """All comments that are not deleted, the oldest first, with their reactions."""
    by.may(repository, "read")
    with by.ground.read() as session:
        change = get_change(session, repository, number)
        wanted = select(ForgeComment).where(
            ForgeComment.change_id == change.id, col(ForgeComment.deleted_at).is_(None)
        )
        rows = session.scalars(wanted.order_by(col(ForgeComment.id))).all()
    return [_comment(by, row) for row in rows]


@routes.patch(COMMENTS + "/{comment_id}")
def edit_comment(by: By, repository: Repository, comment_id: str, body: CommentText) -> Json:
    """Change your own comment."""
    _own(by, repository, comment_id)
    return _comment(
        by, comments.edit_comment(by.ground, repository, comment_id, login=by.login, body=body.body)
    )


@routes.delete(COMMENTS + "/{comment_id}", status_code=204)
def delete_comment(by: By, repository: Repository, comment_id: str) -> None:
    """Take your own comment away."""
    _own(by, repository, comment_id)
    comments.delete_comment(by.ground, repository, comment_id, login=by.login)


def _own(by: Call, repository: str, comment_id: str) -> None:
    by.may(repository, "read")
    with by.ground.read() as session:
        written, _ = get_comment(session, repository, comment_id)
    if written.author != by.login:
        raise NotAllowed("only its author may change a comment")


def _comment(by: Call, written: ForgeComment) -> Json:
    with by.ground.read() as session:
        change = session.get_one(ForgeChange, written.change_id)
        reactions = session.scalars(select(ForgeReaction).where(ForgeReaction.comment_id == written.id))
        given = sorted((reaction.reaction, reaction.login) for reaction in reactions)
        said = webhooks.comment_json(by.ground, session, written, change)
    return said | {"reactions": [{"reaction": reaction, "login": login} for reaction, login in given]}
