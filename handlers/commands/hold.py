"""`/hold [reason]`: keep the change from being merged and deployed, whatever else holds."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/hold [reason...]", needs=Permission.WRITE, undo="/unhold", second="hold-change")
def hold(call: Call, view: View) -> Answer:
    """Keep the change from being merged and deployed."""
    if view.state.held:
        raise Refused("HeldAlready", messages.already_held(view.state.held.by))
    reason = call.arguments.get("reason", "")
    told = draft("pointsman.ChangeHeld", p.Steered(reason=reason), actor=call.actor.login)
    return Answer(record(told), messages.held(call.actor.login, reason))
