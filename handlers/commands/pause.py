"""`/pause [reason]`: the flow starts nothing new; what runs goes on."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/pause [reason...]", needs=Permission.WRITE, undo="/resume")
def pause(call: Call, view: View) -> Answer:
    """Start nothing new in this trace; what runs goes on."""
    if view.state.paused:
        raise Refused("PausedAlready", messages.already_paused(view.state.paused.by))
    reason = call.arguments.get("reason", "")
    told = draft("pointsman.FlowPaused", p.Steered(reason=reason), actor=call.actor.login)
    return Answer(record(told), messages.paused(call.actor.login, reason))
