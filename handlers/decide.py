"""decide(event, view) -> Decision: everything that follows from one fact. Pure.

Order: the flow moves first (it schedules skills), then who the fact is addressed to (skill, facts, effect
outcome), then
reactions in the order of their modules' names.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import handlers
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision
from bot.domain.event import Event
from bot.domain.view import View
from bot.flows.advance import advance, scheduled
from bot.flows.facts import facts_of
from bot.flows.load import definition
from handlers.declare import REGISTRY, Registry


@cache
def registry() -> Registry:
    """All handlers, found by folder. A module that registers nothing is an error at start."""
    for module in sorted(pkgutil.walk_packages(handlers.__path__, "handlers."), key=lambda m: m.name):
        if module.name not in {"handlers.declare", "handlers.decide"}:
            importlib.import_module(module.name)
            _answers_something(module.name, is_package=module.ispkg)
    return REGISTRY


def _answers_something(module: str, *, is_package: bool) -> None:
    """A reaction or a command that registers nothing was meant to, and forgot its declaration."""
    expected = module.startswith(("handlers.commands.", "handlers.on_")) and not is_package
    answering = {entry.run.__module__ for entry in REGISTRY.commands.values()}
    answering |= {reaction.__module__ for found in REGISTRY.reactions.values() for reaction in found}
    if expected and module not in answering:
        raise TypeError(f"{module} registers nothing: declare what it answers (handlers/declare.py)")


def decide(event: Event, view: View) -> Decision:
    """What follows from `event`, given that `view.state` has already taken it in."""
    return _flow(event, view) + _addressed(event, view) + _reactions(event, view)


def _flow(event: Event, view: View) -> Decision:
    if event.type == "ModuleGenerated" and view.state.module_event != event.id:
        return NOTHING  # the trace has not taken it in (bot.domain.trace.accepts)
    flow = view.state.flow
    moved = advance(definition(flow.flow), flow, event, facts=facts_of(view.state))
    # What is not started while the flow is paused, it starts when it is resumed (bot/flows/advance.py).
    begins = "AgentTaskScheduled" if view.state.paused else None
    return Decision(events=tuple(d for d in moved.drafts if d.type != begins), timers=moved.timers)


def _addressed(event: Event, view: View) -> Decision:
    known = registry()
    if event.type == "AgentTaskScheduled":
        task = scheduled(view.state.flow, event)
        found_skill = known.skills.get((task.agent, task.skill)) if task else None
        return found_skill(task, view) if found_skill and task else NOTHING
    if event.type == "FactsGathered":
        gathered = read(event, p.FactsGathered)
        found_facts = known.facts.get(gathered.purpose)
        return found_facts(gathered, view) if found_facts else NOTHING
    if event.type == "AgentActionCompleted":
        action = read(event, p.ActionCompleted)
        found_done = known.done.get((action.effect, action.purpose))
        return found_done(action, view) if found_done else NOTHING
    return NOTHING


def _reactions(event: Event, view: View) -> Decision:
    decision = NOTHING
    for reaction in registry().reactions.get(event.type, ()):
        decision += reaction(event, view)
    return decision
