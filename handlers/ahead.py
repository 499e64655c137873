"""What will be once a decision is in the log."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.decision import Decision
from bot.domain.event import Event, stamp
from bot.domain.trace import apply
from bot.domain.view import View


def ahead(view: View, decision: Decision) -> View:
    """The view as it will be once the decision's facts are in the log."""
    state = view.state
    cause = Event(
        id="ahead",
        source="pointsman",
        type="FactsGathered",
        time=view.now,
        tenant_id=state.tenant_id,
        trace_id=state.trace_id,
        sequence=state.sequence,
    )
    for index, said in enumerate(decision.events):
        state = apply(
            state, stamp(said, cause=cause, index=index).model_copy(update={"sequence": state.sequence + 1})
        )
    return replace(view, state=state)
