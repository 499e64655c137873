"""What people read on the change of a `World`."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import read
from tests.handlers.world import World


def reply(world: World) -> str:
    """The last answer."""
    return next(text for name, text in reversed(world.forge.comments.items()) if name.startswith("reply-"))


def refusal(world: World) -> tuple[str, str]:
    """Reason code and sentence of the last refusal."""
    told = read(world.last("CommandRefused"), p.CommandRefused)
    return told.reason_code, told.message


def standing(world: World, environment: str) -> tuple[str, str]:
    """State and reason code that the change shows for an environment."""
    release = world.state.releases[environment]
    return release.shown_state, release.reason_code
