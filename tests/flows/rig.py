"""A trace with nothing but a flow in it: events are taken in, decided on and recorded as the engine does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.decision import Timer
from bot.domain.event import Draft, Event, stamp
from bot.domain.flow_state import FlowState, follow
from bot.flows.advance import advance
from bot.flows.facts import Facts
from bot.flows.model import Flow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FACTS = Facts(tenant_id="vetclinic-001", trace_id="trace-1", module_id="booking-service", submitted=True)
Agents = Callable[[Event], Iterable[Draft]]


def fact(type_: str, /, environment: str | None = None, **data: Any) -> Draft:
    return Draft(type=type_, data=data, environment=environment)


@dataclass
class Rig:
    """`agents` say what else follows from an event, beside the flow."""

    flow: Flow
    facts: Facts = FACTS
    agents: Agents = lambda _event: ()
    state: FlowState = field(default_factory=FlowState)
    log: list[Event] = field(default_factory=list)
    timers: dict[str, Timer] = field(default_factory=dict)
    now: datetime = NOON
    rows: int = 0

    def __post_init__(self) -> None:
        self.state = FlowState(flow=self.flow.flow)

    def happen(self, *facts: Draft | str) -> Rig:
        """Facts come in from outside, each as a row of its own."""
        for one in facts:
            self.rows += 1
            draft = fact(one) if isinstance(one, str) else one
            said = {name: value for name, value in draft.model_dump().items() if value is not None}
            self._drain(
                Event(
                    **said,
                    id=f"row-{self.rows}",
                    source="test",
                    time=self.now,
                    tenant_id=self.facts.tenant_id,
                    trace_id=self.facts.trace_id,
                )
            )
        return self

    def wait(self, seconds: float) -> Rig:
        """Time passes; timers that are due fire in order."""
        end = self.now + timedelta(seconds=seconds)
        while due := [timer for timer in self.timers.values() if timer.at <= end]:
            timer = min(due, key=lambda t: (t.at, t.name))
            self.timers.pop(timer.name)
            self.now = max(self.now, timer.at)
            self.happen(timer.draft)
        self.now = end
        return self

    def _drain(self, first: Event) -> None:
        queue = deque([first])
        while queue:
            event = queue.popleft().model_copy(update={"sequence": len(self.log) + 1})
            self.log.append(event)
            assert len(self.log) < 5000, "the flow runs in circles"
            self.state = follow(self.state, event)
            moved = advance(self.flow, self.state, event, facts=self.facts)
            assert not {timer.name for timer in moved.timers} & self.timers.keys(), "one timer was set twice"
            self.timers |= {timer.name: timer for timer in moved.timers}
            drafts = (*moved.drafts, *self.agents(event))
            queue += [stamp(draft, cause=event, index=index) for index, draft in enumerate(drafts)]

    def said(self, *types: str) -> list[Event]:
        return [event for event in self.log if event.type in types]

    @property
    def path(self) -> list[str]:
        """The states in the order they were entered."""
        state, path = FlowState(flow=self.flow.flow), []
        for event in self.log:
            state = follow(state, event)
            if event.type == "LifecyclePhaseAdvanced" and state.entered == event.sequence:
                path.append(state.state)
        return path

    @property
    def running(self) -> list[str]:
        return [task["agent"] for task in self.state.tasks.values()]

    def task(self, agent: str) -> str:
        """The id of the agent's running task."""
        (found,) = [name for name, task in self.state.tasks.items() if task["agent"] == agent]
        return found
