"""Reviews on the forge: where the policy lets them count, each is looked at with its author's rights."""

from __future__ import annotations

from bot.domain.decision import NOTHING, Decision
from bot.domain.event import Event
from bot.domain.view import View
from handlers.asking import ask
from handlers.declare import on
from handlers.policy import policy_of


@on("ReviewSubmitted", "ReviewDismissed")
def on_review(event: Event, view: View) -> Decision:
    """Evaluate again with fresh facts: the reviewer may be somebody of whom nothing is known yet."""
    policy = policy_of(view.state)
    if policy is None or not policy.accepts_reviews or view.state.change is None:
        return NOTHING
    return ask(view, "release", event.id)
