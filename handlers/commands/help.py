"""`/help`: what you may say here."""

from __future__ import annotations

from bot import messages
from bot.domain.view import View
from handlers.declare import REGISTRY, Answer, Call, command
from handlers.policy import policy_of
from policies.roles import Permission, allowed


@command("/help", needs=Permission.READ)
def help_(call: Call, view: View) -> Answer:
    """List the commands that you may use here."""
    policy = policy_of(view.state)
    mine = [
        (entry.signature.usage, entry.summary)
        for _, entry in sorted(REGISTRY.commands.items())
        if policy is not None
        and any(allowed(policy, call.actor, entry.needs, name) for name in (None, *policy.environments))
    ]
    return Answer(reply=messages.help_text(call.actor.login, mine))
