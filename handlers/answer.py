"""Run the commands whose facts have arrived, in the order they were written, and answer them in one reply."""

from __future__ import annotations

from typing import Any

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.command import Invocation, bind, suggest
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import PostComment, React
from bot.domain.errors import Refused
from bot.domain.event import Draft
from bot.domain.view import View
from handlers.ahead import ahead
from handlers.declare import REGISTRY, Answer, Call, CommandEntry, facts
from handlers.known import meant, names
from handlers.reevaluation import reevaluate
from handlers.release_manager import REREAD
from handlers.rights import check_right
from policies.authorise import Asker, Needs, may

BUTTON = "button"
"""`via` of a command that came by a button of a check."""


@facts("command")
def answer(gathered: p.FactsGathered, view: View) -> Decision:
    """Each command sees what the ones before it did."""
    decision, replies, refused = NOTHING, [], False
    for issued in view.state.answering:
        said, outcome, was_refused = _run(issued, gathered, ahead(view, decision))
        decision += outcome
        refused = refused or was_refused
        replies += [said.reply] if said.reply and not (said.shown and issued.get("commentId")) else []
    if not any(said.type in REREAD for said in decision.events):
        decision += reevaluate(ahead(view, decision))  # else the reaction to what was decided does
    return decision + _reply(view, replies, refused=refused)


def _run(issued: dict[str, Any], gathered: p.FactsGathered, view: View) -> tuple[Answer, Decision, bool]:
    command = p.CommandIssued.model_validate(issued)
    actor = gathered.actors.get(issued.get("actor") or "", p.Actor(login=issued.get("actor") or "unknown"))
    try:
        said = meant(_said(command), view.state)
        entry = _entry(said, actor, view)
        if entry is None:
            return Answer(), NOTHING, False
        _check_change(command, view)
        given = bind(entry.signature, said)
        check_right(entry, actor, view, given.get("environment"))
        result = entry.run(_call(entry, command, actor, given), view)
    except Refused as refusal:
        told = p.CommandRefused(
            command=command.command,
            line=command.line,
            reason_code=refusal.reason_code,
            message=refusal.message,
            correlation=command.correlation,
        )
        return (
            Answer(reply=messages.refused(command.line, refusal.reason_code, refusal.message)),
            record(draft("CommandRefused", told, actor=actor.login)),
            True,
        )
    answered = Draft(
        type="TaskCompleted",
        actor=actor.login,
        data={
            "command": command.command,
            "correlation": command.correlation,
            "line": command.line,
            "reply": result.reply,
        },
    )
    return result, result.decision + record(answered), False


def _said(command: p.CommandIssued) -> Invocation:
    return Invocation(command.command, command.arguments, command.options, command.line)


def _entry(said: Invocation, actor: p.Actor, view: View) -> CommandEntry | None:
    entry = REGISTRY.commands.get(said.name)
    close = suggest(said.name, names(view.state))
    if entry is None and close and may(Asker(actor), Needs(level="write")):
        raise Refused("UnknownCommand", messages.did_you_mean(said.name, close))
    return entry


def _check_change(command: p.CommandIssued, view: View) -> None:
    """A comment speaks of the change it stands on, and of no other that the trace may be about."""
    number = (view.state.change or {}).get("number")
    if command.change is not None and number is not None and command.change != number:
        raise Refused("AnotherChange", messages.another_change(number))


def _call(entry: CommandEntry, command: p.CommandIssued, actor: p.Actor, given: dict[str, str]) -> Call:
    return Call(
        command=entry.signature.name,
        line=command.line,
        arguments=given,
        actor=actor,
        at=command.written_at,
        via=command.via,
        correlation=command.correlation,
        change=command.change,
    )


def _reply(view: View, replies: list[str], *, refused: bool) -> Decision:
    first = view.state.answering[0] if view.state.answering else {}
    comment, change = first.get("commentId"), first.get("change")
    pressed = first.get("via") == BUTTON
    if change is None or (comment is None and not pressed):
        return NOTHING  # asked over HTTP: the answer is in the log, where the asker reads it
    where = {"target": view.state.forge, "repository": view.state.repository, "change": change}
    decision = NOTHING
    if comment is not None:
        reaction = React(
            purpose="answer", comment_id=comment, reaction="-1" if refused else "rocket", **where
        )
        decision = do(reaction)
    if replies:
        if pressed:
            replies = [messages.pressed(first["actor"], first["line"]), *replies]
        reply = PostComment(
            purpose="reply",
            body="\n\n".join(replies),
            reply_to=comment,
            sticky=f"reply-{first['correlation']}",
            **where,
        )
        decision += do(reply)
    return decision


def issue(line: Invocation, *, actor: str, via: str, correlation: str, at: Any) -> Draft:
    """A command given over HTTP: the same fact that a comment's line becomes."""
    issued = p.CommandIssued(
        command=line.name,
        arguments=line.arguments,
        options=line.options,
        line=line.line,
        via=via,
        correlation=correlation,
        written_at=at,
    )
    return draft("CommandIssued", issued, actor=actor)
