"""A deployed service has died: start it again, and when it dies again and again, go back to what ran before
it.

Rules of seed 003, "Rollback and Recovery Flows": an unexpected crash loop after a deployment is recorded and
rolled back.
"""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import ApplyRelease, Health, Target
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import done, on
from handlers.rollback import roll_back
from handlers.targets import ORCHESTRATOR

STARTS = 3
"""How often a service that was deployed well is started again before it counts as a crash loop."""


@on("TriggerRequested")
def on_service_down(event: Event, view: View) -> Decision:
    """Start it again, up to a limit; only the release that the environment is meant to run counts."""
    if event.data.get("reason") != "service-down":
        return NOTHING
    target = _running(view, event.data["environment"], event.data["releaseId"])
    if target is None:
        return NOTHING
    deployment = view.state.deployments[target.environment]
    if deployment.falls > STARTS:
        return _give_up(target, messages.crash_loop(target.version, deployment.falls), view)
    again = ApplyRelease(
        purpose="revive",
        agent_id=ORCHESTRATOR,
        strategy=deployment.strategy,
        release=target,
        attempt=deployment.falls,
    )
    return do(again)


@done("ApplyRelease", "revive")
def revived(action: p.ActionCompleted, view: View) -> Decision:
    """Healthy again: nothing more. Else the release is not worth another start."""
    release = Target.model_validate(action.request["release"])
    health = Health.model_validate(action.result)
    target = _running(view, release.environment, release.release_id)
    if health.healthy or target is None:
        return NOTHING
    return _give_up(target, messages.not_revived(target.version, health.reason), view)


def _running(view: View, environment: str, release_id: str) -> Target | None:
    deployment, slot = view.state.deployments.get(environment), view.slots.get(environment)
    good = slot.last_known_good if slot else None
    if deployment is None or deployment.status != "completed" or not good or good["releaseId"] != release_id:
        return None
    return Target.model_validate(good)


def _give_up(target: Target, reason: str, view: View) -> Decision:
    return roll_back(target, reason, view, trigger="automatic")
