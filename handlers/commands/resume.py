"""`/resume`: the flow goes on with what came meanwhile."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/resume", needs=Permission.WRITE)
def resume(call: Call, view: View) -> Answer:
    """Let a paused flow go on, with what came meanwhile."""
    if view.state.paused is None:
        raise Refused("NotPaused", messages.not_paused())
    told = draft("pointsman.FlowResumed", p.Steered(), actor=call.actor.login)
    return Answer(record(told), messages.resumed())
