"""Checks: asked for once more, or one of their buttons pressed."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.command import Invocation
from bot.domain.decision import NOTHING, Decision, do, record
from bot.domain.event import Event
from bot.domain.invocation import read_line
from bot.domain.view import View
from handlers import merge_verdict
from handlers.answer import BUTTON, issue
from handlers.asking import ask
from handlers.declare import facts, on
from handlers.evaluation import evaluate
from handlers.reevaluation import check_of, reevaluate

LINES = {"approve": "/approve-release {environment} @{revision}", "explain": "/explain {environment}"}
"""What a button says. The revision is the check's own, whatever the head is by now."""
AGAIN = "reevaluate"


@on("CheckRequested")
def on_check_requested(event: Event, view: View) -> Decision:
    """Look at everything again when a person asks; a check that a push wants comes by itself."""
    wanted = read(event, p.CheckRequested)
    return _again(event, view) if wanted.again and wanted.revision == view.state.head else NOTHING


@on("CheckActionRequested")
def on_button(event: Event, view: View) -> Decision:
    """A button says what a comment would have said."""
    pressed = read(event, p.CheckActionRequested)
    environment = messages.environment_of_check(pressed.name)
    if environment is None or not event.actor:
        return NOTHING
    if pressed.action == AGAIN:
        return _again(event, view)
    line = LINES.get(pressed.action)
    if line is None:
        return NOTHING
    said = read_line(line.format(environment=environment, revision=pressed.revision))
    return _issued(said, event, view)


def _issued(said: Invocation, event: Event, view: View) -> Decision:
    number = (view.state.change or {}).get("number")
    issued = issue(said, actor=event.actor or "", via=BUTTON, correlation=event.id, at=event.time)
    return record(issued.model_copy(update={"data": issued.data | {"change": number}}))


def _again(event: Event, view: View) -> Decision:
    return ask(view, "check", event.id) if view.state.repository else NOTHING


@facts("check")
def on_looked_again(_gathered: p.FactsGathered, view: View) -> Decision:
    """Say every verdict again, also one that is the same: the forge has cleared its check."""
    evaluations = evaluate(view)
    again = [check_of(evaluation, view) for evaluation in evaluations.values()]
    again += merge_verdict.check(evaluations, view)
    return reevaluate(view) + do(*again)
