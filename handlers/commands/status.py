"""`/status`: where this trace stands."""

from __future__ import annotations

from bot import messages
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from policies.roles import Permission


@command("/status", needs=Permission.READ)
def status(_call: Call, view: View) -> Answer:
    """Say where this trace stands, in one short list."""
    return Answer(reply=messages.status(view.state, view.base_url))
