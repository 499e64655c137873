"""What is released everywhere gets the forge's own page, with notes made from the trace."""

from __future__ import annotations

from bot import messages
from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import PublishRelease
from bot.domain.event import Event
from bot.domain.release import Approval
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.declare import on
from handlers.policy import policy_of
from handlers.targets import ORCHESTRATOR


@on("ReleasePublished")
def publish(event: Event, view: View) -> Decision:
    """After the last environment, so that nothing in the way to production waits for it."""
    state, policy = view.state, policy_of(view.state)
    if policy is None or not policy.release_page:
        return NOTHING
    released = read(event, p.ReleaseVerdict)
    return do(
        PublishRelease(
            target=state.forge,
            repository=state.repository,
            purpose="release",
            agent_id=ORCHESTRATOR,
            tag=tag_of(state, released),
            revision=released.revision,
            title=messages.release_title(released.module_id, released.version),
            notes=messages.release_notes(state, released, _approvals(view, released), view.base_url),
            prerelease="-" in released.version,
        )
    )


def tag_of(state: TraceState, released: p.ReleaseVerdict) -> str:
    """`v1.0.0` where the repository is the module; `clock-v1.0.0` where it has several."""
    module = f"{released.module_id}-" if state.module.get("path") else ""
    return f"{module}v{released.version}"


def _approvals(view: View, released: p.ReleaseVerdict) -> list[Approval]:
    """Those that count for what was released."""
    state, policy = view.state, policy_of(view.state)
    same = {released.revision, state.carried.get(released.revision)}
    reviews = state.reviews if policy and policy.accepts_reviews else ()
    return [a for a in (*state.approvals, *reviews) if not a.ended and a.revision in same]
