"""Pushes to the default branch: they concern every open change of the repository."""

from __future__ import annotations

from pathlib import PurePosixPath

from bot.domain import payloads as p
from bot.domain.catalog import draft, read
from bot.domain.decision import NOTHING, Decision, Sweep
from bot.domain.event import Draft, Event
from bot.domain.release import POLICY_FILE
from bot.domain.view import View
from handlers.declare import on

FOLDER = f"{PurePosixPath(POLICY_FILE).parent}/"
REREAD_FACTS = frozenset({"policy-changed", "reconciliation"})
"""Reasons of `TriggerRequested` that make a release look at its forge again."""


@on("Pushed")
def on_default_branch_pushed(event: Event, view: View) -> Decision:
    """A new policy is for every release that is not over to look at; without one, only branches are behind
    now.
    """
    pushed = read(event, p.Pushed)
    if pushed.branch != pushed.default_branch:
        return NOTHING
    told_all = not event.data.get("cut")  # of very large pushes only a part of the paths is told
    policy = not told_all or any(map(_concerns, pushed.paths))
    name = f"{'policy' if policy else 'base'}-{pushed.after}"
    said = p.TriggerRequested(
        reason="policy-changed" if policy else "base-moved",
        timer=name,
        branch=pushed.branch,
        revision=pushed.after,
    )
    told = draft("TriggerRequested", said)
    return Decision(sweeps=(Sweep(name, view.state.forge, pushed.repository, told, only_changes=not policy),))


def _concerns(path: str) -> bool:
    """Whether a path may be part of the policy: the file, what lies beside it to be extended, a calendar."""
    return path.startswith(FOLDER) or path.endswith(".ics")


@on("TriggerRequested")
def on_sweep_goes_on(event: Event, _view: View) -> Decision:
    """A sweep over very many traces takes more than one transaction."""
    said = event.data
    if said.get("reason") != "sweep-goes-on":
        return NOTHING
    told = Draft(type=said.get("type", "TriggerRequested"), data=said["says"])
    where = said["sweep"], said["forge"], said["repository"]
    whom = {"only_changes": said["onlyChanges"], "ended": said.get("ended", False)}
    return Decision(sweeps=(Sweep(*where, told, said["after"], **whom),))
