"""`/lock <environment> <reason>`: nobody deploys there until it is unlocked."""

from __future__ import annotations

from bot import messages
from bot.domain.errors import Refused
from bot.domain.view import View
from handlers.declare import Answer, Call, command
from handlers.environments import environment_of
from handlers.locking import LOCKED, turned
from policies.roles import Permission


@command(
    "/lock <environment> <reason...>", needs=Permission.DEPLOY, undo="/unlock", second="lock-environment"
)
def lock(call: Call, view: View) -> Answer:
    """Let no release of this repository start in an environment until somebody unlocks it."""
    environment, reason = environment_of(call, view), call.arguments["reason"]
    if environment in view.locks:
        raise Refused("LockedAlready", messages.already_locked(environment, view.locks[environment].by))
    done = turned(LOCKED, call, view, environment, reason)
    return Answer(done, messages.locked(environment, call.actor.login, reason))
