"""Pushes to the default branch: a new policy concerns every open release of the repository."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Sweep
from bot.domain.event import Event
from bot.domain.release import POLICY_FILE
from bot.domain.view import View
from handlers.declare import on

REREAD_FACTS = frozenset({"policy-changed", "reconciliation"})
"""Reasons of `TriggerRequested` that make a release look at its forge again."""


@on("Pushed")
def on_policy_pushed(event: Event, view: View) -> Decision:
    """Make every open release of the repository look at the policy again."""
    pushed = read(event, p.Pushed)
    told_all = not event.data.get("cut")  # of very large pushes only a part of the paths is told
    if pushed.branch != pushed.default_branch or (told_all and POLICY_FILE not in pushed.paths):
        return NOTHING
    return Decision(sweeps=(_sweep(f"policy-{pushed.after}", view.state.forge, pushed.repository),))


@on("TriggerRequested")
def on_sweep_goes_on(event: Event, _view: View) -> Decision:
    """A sweep over very many traces takes more than one transaction."""
    said = event.data
    if said.get("reason") != "sweep-goes-on":
        return NOTHING
    return Decision(sweeps=(_sweep(said["sweep"], said["forge"], said["repository"], said["after"]),))


def _sweep(name: str, forge: str, repository: str, after: str = "") -> Sweep:
    asked = p.TriggerRequested(reason="policy-changed", timer=name)
    return Sweep(name, forge, repository, draft("TriggerRequested", asked), after)
