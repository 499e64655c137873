"""A repository has another name, or another owner: all its traces follow it."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Sweep
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on

WEBHOOKS = "webhooks/"


@on("RepositoryRenamed")
def tell_the_others(event: Event, view: View) -> Decision:
    """The forge's call comes to one trace of the repository; those that are over follow as well, as their
    releases may still be rolled back.
    """
    if not event.source.startswith(WEBHOOKS):
        return NOTHING  # told by the sweep
    moved = read(event, p.RepositoryRenamed)
    told = draft("RepositoryRenamed", moved)
    name = f"renamed-{event.id}"
    return Decision(sweeps=(Sweep(name, view.state.forge, moved.previous, told, ended=True),))
