"""`/unlock <environment>`: releases may start there again."""

from __future__ import annotations

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.locking import UNLOCKED, turned
from policies.roles import Permission


@command("/unlock <environment>", needs=Permission.DEPLOY, second="unlock-environment")
def unlock(call: Call, view: View) -> Answer:
    """Open an environment again that somebody has locked."""
    environment = environment_of(call, view)
    if environment not in view.locks:
        raise Refused("NotLocked", messages.not_locked(environment))
    by = view.locks[environment].by
    return Answer(turned(UNLOCKED, call, view, environment), messages.unlocked(environment, by))
