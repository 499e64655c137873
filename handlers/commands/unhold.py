"""`/unhold`: what `/hold` held may go on."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/unhold", needs=Permission.WRITE, second="unhold-change")
def unhold(call: Call, view: View) -> Answer:
    """Let a change go on that somebody holds by command."""
    if view.state.held is None:
        raise Refused("NotHeld", messages.not_held())
    told = draft("pointsman.ChangeFreed", p.Steered(), actor=call.actor.login)
    return Answer(record(told), messages.freed())
