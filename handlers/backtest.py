"""What another policy would have answered: every verdict that was told, asked again at its moment.

Pure: the events of a trace in, the verdicts that differ out. What people may do is what the forge had said
then; of somebody whom the old policy did not ask for, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import policies
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState, apply
from bot.domain.view import View
from handlers.evaluation import release_facts

VERDICT = "pointsman.VerdictChanged"


@dataclass(frozen=True)
class Difference:
    """One verdict that would have been another."""

    trace: str
    environment: str
    revision: str
    at: datetime
    was: str
    would: str
    reason_code: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return {
            "traceId": self.trace, "environment": self.environment, "revision": self.revision,
            "at": rfc3339(self.at), "was": self.was, "would": self.would, "reason_code": self.reason_code,
            "message": self.message,
        }  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """Of one trace: how many verdicts were asked again, and those that differ."""

    asked: int
    differences: tuple[Difference, ...]


def backtest(events: Iterable[Event], policy: policies.Policy) -> Answer:
    """Ask `policy` of every verdict in the events of one trace, which are in order and whole."""
    state: TraceState | None = None
    asked, found = 0, []
    for event in events:
        state = apply(state or TraceState(tenant_id=event.tenant_id, trace_id=event.trace_id), event)
        if event.type == VERDICT:
            asked += 1
            difference = _asked_again(event, state, policy)
            found += [difference] if difference else []
    return Answer(asked, tuple(found))


def _asked_again(event: Event, state: TraceState, policy: policies.Policy) -> Difference | None:
    told, environment = event.data, event.data["environment"]
    facts = release_facts(View(now=event.time, state=state), environment)
    facts = facts.model_copy(update={"revision": told["revision"], "phase": told.get("phase", "change")})
    verdict = policies.evaluate(policy, facts, event.time)
    if verdict.state == told["state"]:
        return None
    return Difference(
        state.trace_id, environment, told["revision"], event.time, told["state"], verdict.state,
        verdict.reason_code, verdict.message,
    )  # fmt: skip
