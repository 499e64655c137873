"""The change of a submission is linked to what the submission is about."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import LinkIssues
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on
from handlers.pull_request_creator import AGENT


@on("PullRequestCreated")
def link_issues(event: Event, view: View) -> Decision:
    """The description names them already; this finds out whether they are there, and links them where a
    forge wants more than words.
    """
    state, created = view.state, read(event, p.PullRequestCreated)
    references = tuple(state.module.get("issues", ()))
    if not references:
        return NOTHING
    return do(
        LinkIssues(
            target=state.forge,
            repository=state.repository,
            purpose="issues",
            agent_id=AGENT,
            change=created.number,
            references=references,
            closes=bool(state.module.get("closeIssues")),
        )
    )
