"""The fold of `TriggerRequested`: what a person, a timer or a sweep set going."""

from __future__ import annotations

from bot.domain import trace_branch
from bot.domain.event import Event
from bot.domain.release import HOTFIX, START, Start
from bot.domain.trace_release import Fold, Update, registering
from bot.domain.trace_state import TraceState

FOLDS: dict[str, Fold] = {}
_applies = registering(FOLDS)


@_applies("TriggerRequested")
def _triggered(state: TraceState, event: Event) -> Update:
    reason = event.data.get("reason")
    if reason in {START, HOTFIX} and event.actor and event.environment:
        start = Start(
            environment=event.environment, revision=event.data["revision"], by=event.actor, at=event.time
        )
        opened = _retried(state, event.environment) if reason == HOTFIX else {}
        return {"starts": (*state.starts, start)} | opened
    if reason == "retry":
        return _retried(state) | trace_branch.retried()
    if event.data.get("revision"):
        return trace_branch.base_moved(state, event.data)
    fallen = state.deployments.get(event.data.get("environment", ""))
    if event.data.get("reason") != "service-down" or fallen is None:
        return {}
    again = fallen.model_copy(update={"falls": fallen.falls + 1})
    return {"deployments": state.deployments | {fallen.environment: again}}


def _retried(state: TraceState, only: str | None = None) -> Update:
    """A person's retry opens failed deployments again; they need a fresh `ReleaseApproved`."""
    ended = {n: d for n, d in state.deployments.items() if d.status == "failed" and only in {None, n}}
    open_again = {
        name: state.releases[name].model_copy(update={"verdict": "delayed"})
        for name in ended
        if name in state.releases
    }
    return {
        "deployments": {name: d for name, d in state.deployments.items() if name not in ended},
        "releases": state.releases | open_again,
        "retried": (*state.retried, *(d.release_id for d in ended.values())),
    }
