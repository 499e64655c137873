"""`/help`: what you may say here."""

from __future__ import annotations

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import REGISTRY, Answer, Call, command
from handlers.policy import policy_of
from handlers.rights import offered
from policies.roles import Permission


@command("/help", needs=Permission.READ)
def help_(call: Call, view: View) -> Answer:
    """List the commands that you may use here."""
    policy = policy_of(view.state)
    if policy is None:
        raise Refused("PolicyInvalid", messages.policy_broken())
    mine = {
        name: entry for name, entry in sorted(REGISTRY.commands.items()) if offered(entry, call.actor, policy)
    }
    rows = [(entry.signature.usage, messages.in_help(entry.summary, entry.second)) for entry in mine.values()]
    for alias, stands_for in sorted(policy.commands.aliases.items()):
        if stands_for.split()[0] in mine:
            rows.append((f"/{alias}", messages.alias_of(stands_for)))
    return Answer(reply=messages.help_text(call.actor.login, rows))
