"""Whatever happens, in whatever order: the delivery flow neither breaks, nor repeats itself, nor forgets."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.domain import flow_state
from bot.domain.catalog import CATALOG
from bot.domain.event import Draft, Event
from bot.domain.flow_state import FlowState, follow
from bot.flows import advance as rules
from bot.flows import said
from bot.flows.advance import missing, scheduled
from bot.flows.facts import Facts
from bot.flows.load import definition
from tests.flows.rig import FACTS, Rig, fact

DELIVERY = definition("delivery")
# What only the flow itself says; the API takes none of them from outside.
OURS = {"LifecyclePhaseAdvanced", "AgentTaskScheduled"}
ENDINGS = ["AgentTaskCompleted", "AgentTaskFailed", "TaskTimedOut"]
SPOKEN = sorted(
    {event for state in DELIVERY.states.values() for event in state.on}
    | {event for state in DELIVERY.states.values() for i in state.invoke for event in i.done + i.error}
)


@dataclass(frozen=True)
class Step:
    """One thing that happens. `kind`: fact, ending (of a known task), trigger, wait, progress, together."""

    kind: str
    name: str = ""
    environment: str | None = None
    number: int = 0
    parts: tuple[Step, ...] = ()


environments = st.sampled_from([None, "staging", "production"])
anything = sorted(set(CATALOG) - OURS - set(ENDINGS) - {"TriggerRequested"})
facts_ = st.builds(Step, st.just("fact"), st.sampled_from(anything) | st.sampled_from(SPOKEN), environments)
endings = st.builds(Step, st.just("ending"), st.sampled_from(ENDINGS), number=st.integers(0, 4))
triggers = st.builds(
    Step,
    st.just("trigger"),
    st.sampled_from(["retry", "retry-due", "task-timeout", "state-timeout", "sweep"]),
    number=st.integers(0, 4),
)
progress = st.builds(Step, st.just("progress"), environment=st.sampled_from(["staging", "production"]))
together = st.builds(
    Step, st.just("together"), parts=st.lists(facts_ | endings, min_size=2, max_size=4).map(tuple)
)
waits = st.builds(Step, st.just("wait"), number=st.sampled_from([1, 60, 3600]))
steps = st.lists(progress | progress | progress | facts_ | endings | triggers | together | waits, max_size=40)
conditions = st.builds(
    lambda submitted, infrastructure: FACTS.model_copy(
        update={"submitted": submitted, "needs_infrastructure": infrastructure}
    ),
    st.booleans(),
    st.booleans(),
)


def drafts(rig: Rig, step: Step) -> list[Draft]:
    """The facts of a step, as they are at this moment of the trace."""
    known = [*rig.state.tasks, *rig.state.ended, "nobody"]
    task = known[step.number % len(known)]
    if step.kind == "fact":
        return [fact(step.name, step.environment)]
    if step.kind == "ending":
        return [fact(step.name, taskId=task)]
    if step.kind == "trigger":
        return [
            fact(
                "TriggerRequested",
                reason=step.name,
                taskId=task if step.name != "retry" else None,
                step=step.number,
            )
        ]
    if step.kind == "progress":
        return [fact(expected(rig), step.environment)]
    return [draft for part in step.parts for draft in drafts(rig, part)]


def expected(rig: Rig) -> str:
    """A fact that the flow waits for."""
    node = rig.flow.states.get(rig.state.state)
    if node is None or node.final:
        return "ModuleGenerated"
    waits_for = [wait.event[0] for wait in missing(node, rig.state, rig.facts)]
    done = [event for invocation in node.invoke for event in invocation.done]
    return (waits_for or done or list(node.on))[0]


def run(steps_: Iterable[Step], conditions_: Facts) -> Rig:
    rig = Rig(DELIVERY, conditions_)
    rig.agents = lambda event: [Draft.model_validate(d) for d in event.data.get("together", ())]
    for step in steps_:
        if step.kind == "wait":
            rig.wait(step.number)
        elif step.kind == "together":
            parts = [draft.model_dump() for draft in drafts(rig, step)]
            rig.happen(fact("FactsGathered", together=parts))
        else:
            rig.happen(*drafts(rig, step))
        running_tasks_are_of_this_visit(rig.state)
    return rig


def running_tasks_are_of_this_visit(state: FlowState) -> None:
    for task in state.tasks.values():
        assert not task["wait"] or (task["fsmState"], task["step"]) == (state.state, state.step)


def holds(steps_: list[Step], conditions_: Facts) -> None:
    """Every property at once, on one history."""
    rig = run(steps_, conditions_)
    said_tasks = [event.data["taskId"] for event in rig.said("AgentTaskScheduled")]
    assert len(said_tasks) == len(set(said_tasks)), "a task was scheduled twice"
    assert [e.to_json() for e in run(copy.deepcopy(steps_), conditions_).log] == [
        e.to_json() for e in rig.log
    ], "not the same again"
    states, acted_on = [FlowState(flow="delivery")], []
    for event in rig.log:
        states.append(follow(states[-1], event))
        acted_on += (
            [event.data["taskId"]]
            if event.type == "AgentTaskScheduled" and scheduled(states[-1], event)
            else []
        )
    assert states[-1] == rig.state, "the log tells another story"
    assert len(acted_on) == len(set(acted_on))
    every_transition_is_declared(states)
    nothing_follows_the_end(rig, states)


def every_transition_is_declared(states: list[FlowState]) -> None:
    for before, after in pairwise(states):
        if before.step == after.step:
            assert before.state == after.state
        elif before.state:
            assert after.step == before.step + 1
            assert after.state in DELIVERY.states[before.state].targets().values()


def nothing_follows_the_end(rig: Rig, states: list[FlowState]) -> None:
    ended = [
        number for number, state in enumerate(states) if state.state and DELIVERY.states[state.state].final
    ]
    if ended:
        after = rig.log[ended[0] :]
        assert {state.state for state in states[ended[0] :]} == {"deployment_completed"}, "the end was left"
        assert not [e for e in after if e.type == "LifecyclePhaseAdvanced" and e.sequence > len(rig.log)]
        assert not [
            e
            for e in rig.log[ended[0] :]
            if e.type == "AgentTaskScheduled" and e.causation_id in {a.id for a in after}
        ]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, conditions)
def test_whatever_happens(steps_: list[Step], conditions_: Facts) -> None:
    holds(steps_, conditions_)


@settings(max_examples=100, deadline=None)
@given(st.lists(progress | triggers | waits, max_size=10))
def test_whoever_only_waits_for_the_next_fact_gets_to_the_end(steps_: list[Step]) -> None:
    rig = run(steps_, FACTS)
    for environment in ("staging", "production"):
        while not [e for e in rig.said("DeploymentCompleted") if e.environment == environment]:
            if rig.state.state == "deployment_completed":
                return
            rig.happen(fact(expected(rig), environment))
    assert rig.happen(fact("ReleasePublished", "production")).state.state == "deployment_completed"


def forgets_what_was_scheduled(monkeypatch: pytest.MonkeyPatch) -> None:
    start = rules._start
    monkeypatch.setattr(
        rules,
        "_start",
        lambda here: start(
            rules.Here(
                here.flow, here.state.model_copy(update={"tasks": {}, "ended": {}}), here.event, here.facts
            )
        ),
    )
    monkeypatch.setattr(rules, "_happened", lambda here: rules._tasks_answered(here) or rules._move_on(here))


def takes_late_transitions(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = flow_state._moved

    def late(state: FlowState, event: Event) -> dict[str, Any]:
        data = event.data | {"fromState": state.state, "step": state.step + 1}
        return moved(state, event.model_copy(update={"data": data}))

    monkeypatch.setattr(flow_state, "_moved", late)


def goes_on_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    node = DELIVERY.states["release_rejected"]
    open_end = DELIVERY.model_copy(update={"states": DELIVERY.states | {"deployment_completed": node}})
    real = rules.advance
    monkeypatch.setattr("tests.flows.rig.advance", lambda _flow, *a, **k: real(open_end, *a, **k))


def invents_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10**6))
    monkeypatch.setattr(said, "derived_id", lambda *_parts: f"{next(numbers):032x}")


def counts_retries_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    again = said.again
    monkeypatch.setattr(said, "again", lambda task: again(task | {"retries": -1}))


def keeps_tasks_of_earlier_states(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = flow_state._moved
    monkeypatch.setattr(
        flow_state,
        "_moved",
        lambda state, event: {
            name: value for name, value in moved(state, event).items() if name not in {"tasks", "ended"}
        },
    )


def skips_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    move = said.move
    monkeypatch.setattr(
        said,
        "move",
        lambda flow, state, target, *more: move(
            flow, state, "release_approved" if target == "release_evaluation" else target, *more
        ),
    )


def breaks_on_the_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        rules.OWN_EVENTS,
        "AgentTaskFailed",
        lambda here: said.again(here.state.ended[here.event.data["taskId"]]),
    )


@pytest.mark.parametrize(
    "plant",
    [
        forgets_what_was_scheduled,
        takes_late_transitions,
        goes_on_after_the_end,
        invents_ids,
        counts_retries_wrong,
        keeps_tasks_of_earlier_states,
        skips_a_state,
        breaks_on_the_unknown,
    ],
)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    search = settings(
        max_examples=2000,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )(given(steps, conditions)(holds))
    with pytest.raises((AssertionError, KeyError)):
        search()
