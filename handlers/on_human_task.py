"""A question to a person: asked on the change, once."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import PostComment
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on


@on("HumanTaskRequested")
def on_human_task(event: Event, view: View) -> Decision:
    """Without a change `/status` and Studio show it."""
    task, change = read(event, p.HumanTask), view.state.change
    if change is None:
        return NOTHING
    return do(
        PostComment(
            target=view.state.forge,
            repository=view.state.repository,
            purpose="question",
            change=change["number"],
            sticky=f"task-{task.task_id}",
            body=messages.asked(task),
        )
    )
