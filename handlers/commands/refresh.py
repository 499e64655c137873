"""`/refresh`: look at everything again."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import record
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/refresh", needs=Permission.READ)
def refresh(call: Call, _view: View) -> Answer:
    """Ask the forge again for the change, the people and the policy, and evaluate anew."""
    asked = p.TriggerRequested(reason="reconciliation", timer=f"refresh-{call.correlation}")
    told = draft("TriggerRequested", asked, actor=call.actor.login)
    return Answer(record(told), messages.refreshed())
