"""advance(flow, state, event) -> what follows for the flow. Pure: the drafts are the change.

Called with every event of the trace after `bot.domain.flow_state` has taken it in, the flow's own events
included: one fact leads to one link of the chain `CommitReady -> AgentTaskCompleted ->
LifecyclePhaseAdvanced -> AgentTaskScheduled`, so that facts recorded beside it are seen before the next
link is made. A fact that comes between a decision and its transition belongs to the new state
(`FlowState.since`) and is looked at when that state is entered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bot.domain import payloads as p
from bot.domain.event import Event
from bot.domain.flow_state import ENDINGS, FlowState, environment_of
from bot.flows import said
from bot.flows.facts import Facts, holds
from bot.flows.model import Flow, Invocation, State, Transition, Wait
from bot.flows.said import NOTHING, Advance

RETRY, RETRY_DUE, TASK_TIMEOUT, STATE_TIMEOUT = "retry", "retry-due", "task-timeout", "state-timeout"
FAILED = frozenset({"failed", "timed-out"})


@dataclass(frozen=True)
class Here:
    """A flow at one event: everything the rules below look at."""

    flow: Flow
    state: FlowState
    event: Event
    facts: Facts

    @property
    def node(self) -> State:
        return self.flow.states[self.state.state]

    @property
    def awaited(self) -> tuple[Invocation, ...]:
        return tuple(i for i in self.node.awaited if holds(i.when, self.facts))

    @property
    def ready(self) -> bool:
        return not any(missing(self.node, self.state, self.facts))

    @property
    def before(self) -> Here:
        """The same without the event at hand."""
        state = self.state
        return replace(self, state=state.model_copy(update={"last": state.last | state.previous}))

    @property
    def is_news(self) -> bool:
        """Whether the event is one that this visit listens to."""
        heard = {*self.node.on, *(event for wait in self.node.all for event in wait.event)}
        heard |= {event for invocation in self.awaited for event in invocation.done + invocation.error}
        return self.event.type in heard and self.when(self.event.type) == self.event.sequence

    def when(self, event: str) -> int:
        """When a type last happened, as far as it concerns this visit."""
        return self.state.when(event, environment=_scope(self.node, self.state))

    def arrived(self, *events: str) -> list[tuple[int, str]]:
        """Which of these happened in this visit, in order."""
        return sorted((self.when(event), event) for event in events if self.when(event) > self.state.since)


def advance(flow: Flow, state: FlowState, event: Event, *, facts: Facts) -> Advance:
    """What follows from `event`, which `state` has already taken in."""
    here = Here(flow, state, event, facts)
    if not state.state:
        return _begin(here)
    if state.state not in flow.states or here.node.final:
        return NOTHING
    return OWN_EVENTS.get(event.type, _happened)(here)


def scheduled(state: FlowState, event: Event) -> p.TaskScheduled | None:
    """The task that this `AgentTaskScheduled` starts; None when late or said twice (do not act on it)."""
    task = state.tasks.get(str(event.data.get("taskId")))
    return p.TaskScheduled.model_validate(task) if task and task["sequence"] == event.sequence else None


def _scope(node: State, state: FlowState) -> str | None:
    """The environment that facts must be of, or of none, to concern this visit; None: they may be of any."""
    return state.environment or None if node.scope else None


def missing(node: State, state: FlowState, facts: Facts) -> Iterator[Wait]:
    """What the state still waits for before it goes on."""
    environment = _scope(node, state)
    for wait in node.all:
        came = max(state.when(event, environment=environment) for event in wait.event)
        undone = max((state.when(event, environment=environment) for event in wait.until), default=0)
        if holds(wait.when, facts) and came <= undone:
            yield wait


def _begin(here: Here) -> Advance:
    """The flow begins in its initial state, for which the event that began it is news."""
    initial = here.flow.states[here.flow.initial]
    awaited = {event for wait in initial.all for event in wait.event}
    if here.event.type not in awaited.union(here.flow.start, initial.on):
        return NOTHING
    trigger = (here.event.sequence - 1, here.event.type)
    return said.move(here.flow, here.state, here.flow.initial, trigger, environment_of(here.event))


def _enter(here: Here) -> Advance:
    """A state was entered: act on what has already arrived in it, else start its work."""
    if here.state.entered != here.event.sequence:
        return NOTHING  # decided on an older state: the fold has passed it over
    timeout = here.node.timeout
    timers = NOTHING
    if timeout and (timeout.target or timeout.event):
        timers = said.wake(here.state, here.event, STATE_TIMEOUT, timeout.after)
    return timers + _move_on(here)


def _happened(here: Here) -> Advance:
    """A fact: the end of a task, or else news for the state. What follows without it was said before."""
    answered = _tasks_answered(here)
    if answered or not here.is_news:
        return answered
    return NOTHING if _move_on(here.before) else _move_on(here)


def _move_on(here: Here) -> Advance:
    """Take the transition that what arrived in this visit leads to; without one, start what may start now."""
    ways = [(fact, here.node.on[fact[1]]) for fact in here.arrived(*here.node.on)]
    answers = here.arrived(*(event for invocation in here.awaited for event in invocation.error))
    if here.node.on_error and not _running(here):
        ways += [(fact, here.node.on_error) for fact in answers]
    for fact, way in ways:
        moved = _go(here, way, fact)
        if moved:
            return moved
    if _complete(here):
        alongside = NOTHING if here.awaited else _start(here)
        return alongside + _go(here, here.node.on_done, _last_fact(here))
    return _start(here) if here.ready else NOTHING


def _go(here: Here, transition: Transition | None, trigger: tuple[int, str]) -> Advance:
    if transition is None or not holds(transition.when, here.facts):
        return NOTHING
    sequence, event = trigger
    names = (
        name for name, last in here.state.last.items() if last == sequence and name.startswith(f"{event}@")
    )
    environment = next(names, "@").partition("@")[2]
    return said.move(here.flow, here.state, transition.target, trigger, environment)


def _running(here: Here) -> bool:
    return any(task["wait"] for task in here.state.tasks.values())


def _complete(here: Here) -> bool:
    """Everything awaited is done: by a task, or by the fact itself, whoever made it."""
    if not here.node.on_done or _running(here):
        return False
    if not here.awaited:
        return here.ready
    return all(_is_done(here, invocation) for invocation in here.awaited)


def _is_done(here: Here, invocation: Invocation) -> bool:
    who = (invocation.agent, invocation.skill, "completed")
    by_task = any((task["agent"], task["skill"], task["status"]) == who for task in here.state.ended.values())
    return by_task or bool(here.arrived(*invocation.done))


def _last_fact(here: Here) -> tuple[int, str]:
    """What completed the state: the last fact it waited for, or the event at hand."""
    facts = [event for invocation in here.awaited for event in invocation.done]
    facts += [event for wait in here.node.all for event in wait.event] if not here.awaited else []
    said_here = (here.event.sequence, here.event.type)
    if here.event.type == "LifecyclePhaseAdvanced":
        said_here = (here.state.since, str(here.event.data["trigger"]))
    return max(here.arrived(*facts), default=said_here)


def _start(here: Here) -> Advance:
    """Schedule the invocations of this visit that have never been."""
    known = [*here.state.tasks.values(), *here.state.ended.values()]
    begun = {(task["agent"], task["skill"]) for task in known if task["step"] == here.state.step}
    started = NOTHING
    for invocation in here.node.invoke:
        if holds(invocation.when, here.facts) and (invocation.agent, invocation.skill) not in begun:
            started += said.schedule(here.flow, here.state, invocation, here.facts)
    return started


def _watch(here: Here) -> Advance:
    """A task has started: wake up when its time is over, or end it with the answer that overtook it."""
    task = scheduled(here.state, here.event)
    invocation = here.flow.invocation(here.event.data) if task else None
    if task is None or invocation is None:
        return NOTHING
    running = here.state.tasks[task.task_id]
    done, error = here.arrived(*invocation.done), here.arrived(*invocation.error)
    if task.wait and (done or error):
        return said.completed(running, done[-1][1]) if done else said.answered_no(running, error[-1][1])
    limit = here.flow.timeout(here.event.data)
    return said.wake(here.state, here.event, TASK_TIMEOUT, limit, task) if limit else NOTHING


def _tasks_answered(here: Here) -> Advance:
    """The event ends running tasks: as their work, or as a negative answer."""
    ended = NOTHING
    for task in here.state.tasks.values():
        invocation = here.flow.invocation(task)
        mine = not task["wait"] or here.when(here.event.type) == here.event.sequence
        if invocation and mine and here.event.type in invocation.done:
            ended += said.completed(task, here.event.type)
        elif invocation and mine and here.event.type in invocation.error:
            ended += said.answered_no(task, here.event.type)
    return ended


def _task_ended(here: Here) -> Advance:
    task = here.state.ended.get(str(here.event.data.get("taskId")))
    if task is None or task["sequence"] != here.event.sequence:
        return NOTHING
    if task["status"] == "completed":
        return _move_on(here) if task["wait"] else NOTHING
    retry = here.flow.retry(task)
    if here.event.data.get("retryable", True) and task["retries"] < retry.limit:
        again = p.TaskScheduled.model_validate(task)
        delay = retry.delay(task["retries"])
        return said.wake(here.state, here.event, RETRY_DUE, delay, again) if delay else said.again(task)
    return _given_up(here, task)


def _given_up(here: Here, task: said.Task) -> Advance:
    """No further attempt: a person is told, unless the failure is an answer and the flow has a way for it."""
    verdict = here.event.data.get("verdict")
    moved = _go(here, here.node.on_error, _origin(here)) if task["wait"] else NOTHING
    return moved if verdict and moved else said.escalated(task, here.event) + moved


def _origin(here: Here) -> tuple[int, str]:
    """The fact behind a failure: the negative answer, else the failure itself."""
    verdict = str(here.event.data.get("verdict") or "")
    return (here.when(verdict), verdict) if verdict else (here.event.sequence, here.event.type)


def _triggered(here: Here) -> Advance:
    """A timer of ours, or a person's retry. Whatever is no longer so is passed over."""
    asked = p.TriggerRequested.model_validate(here.event.data)
    running, ended = here.state.tasks.get(asked.task_id or ""), here.state.ended.get(asked.task_id or "")
    if asked.reason == RETRY:
        return _retry(here, asked.task_id)
    if asked.reason == RETRY_DUE and ended and ended["status"] in FAILED:
        return said.again(ended)
    if asked.reason == TASK_TIMEOUT and running:
        return said.timed_out(running)
    if asked.reason == STATE_TIMEOUT and asked.step == here.state.step:
        return _state_timeout(here)
    return NOTHING


def _state_timeout(here: Here) -> Advance:
    timeout = here.node.timeout
    if timeout and timeout.target:
        return _go(here, Transition(target=timeout.target), (here.event.sequence, here.event.type))
    return said.late(here.state, timeout.event) if timeout and timeout.event else NOTHING


def _retry(here: Here, task_id: str | None) -> Advance:
    """Invoke again what this state awaits or what has failed alongside; or take the way for it."""
    tasks = here.state.tasks | here.state.ended
    repeated = NOTHING
    for name, task in tasks.items():
        if task_id in {None, name} and task.get("status", "running" if task["wait"] else "") in {
            "running",
            *FAILED,
        }:
            repeated += said.again(task)
    return repeated or _go(here, here.node.on_retry, (here.event.sequence, here.event.type)) or _move_on(here)


def _resumed(here: Here) -> Advance:
    """What came, and what should have been tried again, while the flow was paused."""
    again = NOTHING
    for task in here.state.ended.values():
        retry = here.flow.retry(task)
        if task["status"] in FAILED and task.get("retryable", True) and task["retries"] < retry.limit:
            again += said.again(task)
    return again or _move_on(here)


OWN_EVENTS: dict[str, Callable[[Here], Advance]] = {
    "LifecyclePhaseAdvanced": _enter,
    "AgentTaskScheduled": _watch,
    "TriggerRequested": _triggered,
    "pointsman.FlowResumed": _resumed,
    **dict.fromkeys(ENDINGS, _task_ended),
}
