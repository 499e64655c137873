"""What a verdict needs from outside: policy text, calendars, the change, and everyone whose word might
count.
"""

from __future__ import annotations

from bot.domain.decision import Decision, do
from bot.domain.effect import GatherFacts
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.policy import paths_of, policy_of


def ask(
    view: View, purpose: str, correlation: str, extra: tuple[str, ...] = (), *, task_id: str | None = None
) -> Decision:
    """Have it gathered; `@facts(purpose)` goes on. Membership is asked each time, because it changes
    silently.
    """
    state = view.state
    change = state.change or {}
    people = {a.approver for a in (*state.approvals, *state.reviews) if not a.ended}
    return do(
        GatherFacts(
            target=state.forge,
            repository=state.repository,
            purpose=purpose,
            correlation=correlation,
            task_id=task_id,
            agent_id="release-manager",
            change=change.get("number"),
            actors=tuple(sorted(name for name in people | {change.get("author"), *extra} if name)),
            paths=paths_of(state),
            signatures=_asks_signatures(state),
        )
    )


def _asks_signatures(state: TraceState) -> bool:
    policy, regulated = policy_of(state), state.module.get("complianceMode") is True
    return policy is not None and policy.asks_signatures(compliance=regulated)
