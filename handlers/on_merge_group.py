"""A merge queue asks about a group: it may be merged when the change that it adds may be.

What stands before it in the queue was asked about with a group of its own.
See docs/adr/0013-a-merge-group-is-judged-by-its-last-change.md.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import SetCheck
from bot.domain.event import Event
from bot.domain.view import View
from handlers import merge_verdict
from handlers.asking import ask
from handlers.declare import facts, on
from handlers.evaluation import evaluate
from handlers.merging import AGENT

PURPOSE = "merge-group"


@on("MergeGroupRequested")
def on_merge_group(event: Event, view: View) -> Decision:
    """Ask anew what the forge says of the change: the queue may have held it for long."""
    asked = read(event, p.MergeGroupRequested)
    number = (view.state.change or {}).get("number")
    return ask(view, PURPOSE, event.id) if number in asked.changes else NOTHING


@facts(PURPOSE)
def answer(gathered: p.FactsGathered, view: View) -> Decision:
    """The answer is final: a queue waits for whoever is pending, and a change that leaves it comes back."""
    event = view.find(gathered.correlation)
    if event is None:
        return NOTHING
    evaluations = evaluate(view)
    verdict = merge_verdict.verdict_of(evaluations, view)
    if verdict is None:
        return NOTHING
    agreed = verdict.state == "approved"
    return do(
        SetCheck(
            target=view.state.forge,
            repository=view.state.repository,
            purpose=PURPOSE,
            agent_id=AGENT,
            revision=read(event, p.MergeGroupRequested).revision,
            name=messages.MERGE_CHECK,
            conclusion="neutral" if verdict.observed else "success" if agreed else "failure",
            title=messages.group_title(verdict.change, verdict.waits_for, observed=verdict.observed),
            summary=messages.group_summary(verdict.change, tuple(evaluations)),
            url=messages.trace_url(view.base_url, view.state.trace_id),
        )
    )
