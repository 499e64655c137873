"""Locks are of an environment, for every release of its repository: whoever waits there is told."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import Decision, Sweep, record
from bot.domain.view import View
from handlers.declare import Call

LOCKED, UNLOCKED = "pointsman.EnvironmentLocked", "pointsman.EnvironmentUnlocked"


def turned(type_: str, call: Call, view: View, environment: str, reason: str = "") -> Decision:
    """State it, and have every open trace of the repository look again."""
    state = view.state
    said = p.EnvironmentLocked(
        forge=state.forge, repository=state.repository, environment=environment, reason=reason
    )
    told = draft(type_, said, environment=environment, actor=call.actor.login)
    name = f"lock-{environment}-{call.correlation}-{state.sequence}"
    again = draft("TriggerRequested", p.TriggerRequested(reason="lock-changed", timer=name))
    return record(told) + Decision(sweeps=(Sweep(name, state.forge, state.repository, again),))
