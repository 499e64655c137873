"""Going back: to the last release that passed its probes, by the bot or because a person asked."""

from __future__ import annotations

from typing import Literal

from bot.domain import payloads as p
from bot.domain.catalog import draft
from bot.domain.decision import Decision, do, record
from bot.domain.deployment import Slot
from bot.domain.effect import Target, UndoRelease
from bot.domain.view import View
from handlers.targets import ORCHESTRATOR


def good_release(slot: Slot, away_from: Target) -> Target | None:
    """The last release that passed its probes and is not the one to get away from."""
    good = slot.last_known_good
    if good and good.get("releaseId") == away_from.release_id:
        good = slot.previous_good
    return Target.model_validate(good) if good else None


def roll_back(
    target: Target,
    reason: str,
    view: View,
    *,
    trigger: Literal["automatic", "manual", "policy"],
    by: str | None = None,
    log_tail: str = "",
) -> Decision:
    """State that the environment goes back, and have it done."""
    slot = view.slots.get(target.environment) or Slot(environment=target.environment)
    good = good_release(slot, target)
    triggered = p.RollbackTriggered(
        environment=target.environment,
        release_id=target.release_id,
        version=target.version,
        revision=target.revision,
        to_version=good.version if good else None,
        reason=reason,
        trigger=trigger,
        by=by,
        log_tail=log_tail,
    )
    deployment = view.state.deployments.get(target.environment)
    undo = UndoRelease(
        purpose="rollback",
        agent_id=ORCHESTRATOR,
        strategy=deployment.strategy if deployment else "process",
        release=good,
        failed=target,
    )
    context = {"environment": target.environment, "release_id": target.release_id, "actor": by}
    return record(draft("RollbackTriggered", triggered, agent_id=ORCHESTRATOR, **context)) + do(undo)
