"""Run the commands whose facts have arrived, in the order they were written, and answer them in one reply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.command import Invocation, bind, suggest
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.effect import PostComment, React
from bot.domain.errors import Refused
from bot.domain.event import Draft, Event, stamp
from bot.domain.trace import apply
from bot.domain.view import View
from handlers.declare import REGISTRY, Answer, Call, CommandEntry, facts
from handlers.policy import policy_of
from handlers.reevaluation import reevaluate
from handlers.release_manager import REREAD
from policies.roles import allowed, holders

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


def ahead(view: View, decision: Decision) -> View:
    """The view as it will be once the decision's facts are in the log."""
    state = view.state
    cause = Event(
        id="ahead",
        source="pointsman",
        type="FactsGathered",
        time=view.now,
        tenant_id=state.tenant_id,
        trace_id=state.trace_id,
        sequence=state.sequence,
    )
    for index, said in enumerate(decision.events):
        state = apply(
            state, stamp(said, cause=cause, index=index).model_copy(update={"sequence": state.sequence + 1})
        )
    return replace(view, state=state)


def _run(issued: dict[str, Any], gathered: p.FactsGathered, view: View) -> tuple[Answer, Decision, bool]:
    command = p.CommandIssued.model_validate(issued)
    actor = gathered.actors.get(issued.get("actor") or "", p.Actor(login=issued.get("actor") or "unknown"))
    try:
        entry = _entry(command, actor)
        if entry is None:
            return Answer(), NOTHING, False
        _check_change(command, view)
        given = bind(
            entry.signature,
            Invocation(
                name=command.command, arguments=command.arguments, options=command.options, line=command.line
            ),
        )
        _check_right(entry, actor, view, given.get("environment"))
        result = entry.run(_call(command, actor, given), view)
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


def _entry(command: p.CommandIssued, actor: p.Actor) -> CommandEntry | None:
    entry = REGISTRY.commands.get(command.command)
    close = suggest(command.command, list(REGISTRY.commands))
    if entry is None and close and actor.permission not in {"none", "read"}:
        raise Refused("UnknownCommand", messages.did_you_mean(command.command, close))
    return entry


def _check_change(command: p.CommandIssued, view: View) -> None:
    """A comment speaks of the change it stands on, and of no other that the trace may be about."""
    number = (view.state.change or {}).get("number")
    if command.change is not None and number is not None and command.change != number:
        raise Refused("AnotherChange", messages.another_change(number))


def _check_right(entry: CommandEntry, actor: p.Actor, view: View, environment: str | None) -> None:
    policy = policy_of(view.state)
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    if not allowed(policy, actor, entry.needs, environment):
        raise Refused(
            entry.refusal,
            messages.not_allowed(actor.login, entry.signature.name, holders(policy, entry.needs)),
        )


def _call(command: p.CommandIssued, actor: p.Actor, given: dict[str, str]) -> Call:
    return Call(
        command=command.command,
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
