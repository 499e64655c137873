"""Comments: commands of created comments are answered once; an edited comment never does anything, and is
told so once.
"""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.command import Invocation, parse, suggest
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import PostComment, React
from bot.domain.event import Draft, Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import on
from handlers.known import names

MOST = 20
"""Commands in one comment: each is a fact and has an answer, and a comment holds only so much."""


def ours(invocations: list[Invocation], state: TraceState) -> list[Invocation]:
    """The commands we know, by whatever name, and the unknown ones that are close to one of ours (answered
    with a suggestion).
    """
    known = names(state)
    return [i for i in invocations if i.name in known or suggest(i.name, known)]


@on("CommentCreated")
def on_comment_created(event: Event, view: View) -> Decision:
    """Acknowledge with eyes, record each command, ask who this person is."""
    comment = read(event, p.Comment)
    found = [] if comment.author_is_bot else ours(parse(comment.body), view.state)
    if not found:
        return NOTHING
    if len(found) > MOST:
        return _too_many(found, comment, view)
    issued = record(*(_issued(invocation, comment) for invocation in found))
    eyes = React(
        target=view.state.forge,
        repository=comment.repository,
        purpose="receipt",
        change=comment.change,
        comment_id=comment.comment_id,
        reaction="eyes",
    )
    return issued + do(eyes) + ask(view, "command", comment.comment_id, (comment.author,))


def _too_many(found: list[Invocation], comment: p.Comment, view: View) -> Decision:
    """Done are all of them or none."""
    message = messages.too_many_commands(len(found), MOST)
    told = p.CommandRefused(
        command=found[0].name,
        line=found[0].line,
        reason_code="TooManyCommands",
        message=message,
        correlation=comment.comment_id,
    )
    where: dict[str, Any] = {
        "target": view.state.forge,
        "repository": comment.repository,
        "change": comment.change,
    }
    refused = record(draft("CommandRefused", told, actor=comment.author))
    return refused + do(
        React(purpose="receipt", comment_id=comment.comment_id, reaction="-1", **where),
        PostComment(
            purpose="reply",
            body=message,
            reply_to=comment.comment_id,
            sticky=f"reply-{comment.comment_id}",
            **where,
        ),
    )


def _issued(invocation: Invocation, comment: p.Comment) -> Draft:
    issued = p.CommandIssued(
        command=invocation.name,
        arguments=invocation.arguments,
        options=invocation.options,
        line=invocation.line,
        via="comment",
        correlation=comment.comment_id,
        change=comment.change,
        comment_id=comment.comment_id,
        written_at=comment.created_at,
    )
    return draft("CommandIssued", issued, actor=comment.author)


@on("CommentEdited")
def on_comment_edited(event: Event, view: View) -> Decision:
    """Say once that an edit does nothing, when the text looks like a command."""
    comment = read(event, p.Comment)
    if comment.author_is_bot or not ours(parse(comment.body), view.state):
        return NOTHING
    return do(
        PostComment(
            target=view.state.forge,
            repository=comment.repository,
            purpose="edited",
            change=comment.change,
            sticky=f"edited-{comment.comment_id}",
            body=messages.edited_comment(comment.author),
        )
    )


@on("CommandIssued")
def on_command_from_elsewhere(event: Event, view: View) -> Decision:
    """A command given by API, CLI or Studio asks for the same facts that a comment asks for."""
    issued = read(event, p.CommandIssued)
    if issued.via == "comment":
        return NOTHING
    return ask(view, "command", issued.correlation, (event.actor or "",))
