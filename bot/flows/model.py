"""The flow language: a YAML statechart whose states invoke skills and wait for events.

    flow: delivery
    version: 1
    initial: requested
    states:
      requested:
        on: {ModuleGenerated: building}       # event: state, or event: {target: state, when: condition}
      building:
        all: [ModuleGenerated, {event: InfraProvisioned, when: needsInfrastructure}]
        invoke: {agent: code-committer, skill: CommitModule, done: CommitReady, retry: {limit: 2}}
        onDone: built
        onError: requested
      built: {final: true}

What the words mean (`advance.py` does it):

`on`       while the flow is in the state, the event leads to the target.
`all`      what must have happened since the trace began before the state's invocations start (without
           invocations: before `onDone` is taken). An item is an event, a list of events of which one is
           enough, or `{event, when, until}`: `until: TestsFailed` takes `TestsPassed` back when
           `TestsFailed` comes after it.
`invoke`   one or several skills of agents, started together. `done` are the events that say the work is
           done; without them the agent says so itself (`AgentTaskCompleted`). `error` are events that are
           an answer in the negative. `AgentTaskFailed` of this very task always is a failure. `wait: false`
           runs alongside: the flow goes on, and the task is followed until it ends. `when` leaves an
           invocation out.
`onDone`   where to go when every awaited invocation is done.
`onError`  where to go on a negative answer, or on a failure after the last retry. Without it the flow
           stays, and a person is told.
`onRetry`  where a person's `/retry` leads from a state that invokes nothing; others invoke again.
`retry`    how often a failed task is tried again by itself, and after which delays (the last one repeats).
`timeout`  of an invocation, or in short form of all invocations of a state: the task fails. In long form of
           a state (`{after: 5m, target: state}`, `{after: 5m, event: TimeoutWarning}`): go there, or say so
           once.
`scope`    `environment`: the state is about the environment of the fact that led to it (one deployment,
           say), and facts of other environments are none of its business.
`final`    the flow ends.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
STATE = r"^[a-z][a-z0-9_]*$"
AGENT = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
SKILL = r"^[A-Z][A-Za-z0-9]*$"


def duration(value: object) -> timedelta:
    """`90s`, `5m`, `1h30m`, `2d` as elapsed time. Raises ValueError."""
    match = DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration such as 15s, 5m or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _many(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


def _under(key: str) -> BeforeValidator:
    """The short form of a mapping is the value of its main key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str | list) else value)


Duration = Annotated[timedelta, BeforeValidator(duration)]
Names = Annotated[tuple[str, ...], BeforeValidator(_many)]


class Strict(BaseModel):
    """Frozen; unknown words are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Transition(Strict):
    """Where to go, and the condition under which."""

    target: str
    when: str | None = None


class Wait(Strict):
    """One item of `all`: one of `event` happened, and none of `until` after it."""

    event: Names = Field(min_length=1)
    until: Names = ()
    when: str | None = None


class Retry(Strict):
    """`limit` further attempts; the n-th comes after the n-th delay, the last delay repeats."""

    limit: int = Field(default=4, ge=0, le=100)
    delays: tuple[Duration, ...] = Field(
        default=tuple(timedelta(seconds=s) for s in (0, 5, 15, 60)), min_length=1, validate_default=False
    )

    def delay(self, retries: int) -> timedelta:
        """How long to wait before attempt `retries` + 1 is repeated."""
        return self.delays[min(retries, len(self.delays) - 1)]


class Invocation(Strict):
    """One skill of one agent."""

    agent: str = Field(pattern=AGENT)
    skill: str = Field(pattern=SKILL)
    done: Names = ()
    error: Names = ()
    wait: bool = True
    when: str | None = None
    timeout: Duration | None = None
    retry: Retry | None = None


class Timeout(Strict):
    """`after` alone: the state's tasks fail. With `target` or `event`: that happens instead."""

    after: Duration
    target: str | None = None
    event: str | None = None


Target = Annotated[Transition, _under("target")]


class State(Strict):
    """One node of the statechart."""

    on: dict[str, Target] = Field(default_factory=dict)
    all: Annotated[tuple[Annotated[Wait, _under("event")], ...], BeforeValidator(_many)] = ()
    invoke: Annotated[tuple[Invocation, ...], BeforeValidator(_many)] = ()
    on_done: Target | None = Field(default=None, alias="onDone")
    on_error: Target | None = Field(default=None, alias="onError")
    on_retry: Target | None = Field(default=None, alias="onRetry")
    timeout: Annotated[Timeout, _under("after")] | None = None
    retry: Retry | None = None
    """For the invocations that name none of their own."""
    scope: Literal["environment"] | None = None
    final: bool = False

    @property
    def awaited(self) -> tuple[Invocation, ...]:
        """The invocations that the state waits for."""
        return tuple(invocation for invocation in self.invoke if invocation.wait)

    def targets(self) -> dict[tuple[str, ...], str]:
        """Every state this one can lead to, by the path of the words that say so."""
        found: dict[tuple[str, ...], str] = {("on", event): way.target for event, way in self.on.items()}
        named = {"onDone": self.on_done, "onError": self.on_error, "onRetry": self.on_retry}
        found |= {(word,): transition.target for word, transition in named.items() if transition}
        if self.timeout and self.timeout.target:
            found["timeout", "target"] = self.timeout.target
        return found


class Flow(Strict):
    """A whole statechart. It begins with the first event that its initial state names, or one of `start`."""

    flow: str = Field(pattern=STATE)
    version: int = Field(ge=1)
    initial: str
    start: Names = ()
    states: dict[Annotated[str, Field(pattern=STATE)], State] = Field(min_length=1)

    @property
    def heard(self) -> frozenset[str]:
        """Every event type that the flow names: what moves it, and what it says itself."""
        found = set(self.start)
        for state in self.states.values():
            found |= state.on.keys()
            found |= {event for wait in state.all for event in wait.event + wait.until}
            found |= {event for invocation in state.invoke for event in invocation.done + invocation.error}
            found |= {state.timeout.event} if state.timeout and state.timeout.event else set()
        return frozenset(found)

    def invocation(self, task: dict[str, Any]) -> Invocation | None:
        """The invocation that a scheduled task came from; None when the flow has changed since."""
        state = self.states.get(task["fsmState"])
        who = (task["agent"], task["skill"])
        return next((i for i in state.invoke if (i.agent, i.skill) == who), None) if state else None

    def retry(self, task: dict[str, Any]) -> Retry:
        """How often this task is tried again by itself: never, unless its invocation or its state says so."""
        invocation, state = self.invocation(task), self.states.get(task["fsmState"])
        return (invocation and invocation.retry) or (state and state.retry) or Retry(limit=0)

    def timeout(self, task: dict[str, Any]) -> timedelta | None:
        """When this task fails by itself, counted from its start."""
        invocation, state = self.invocation(task), self.states.get(task["fsmState"])
        if invocation and invocation.timeout:
            return invocation.timeout
        short = state.timeout if state and state.timeout else None
        return short.after if short and not short.target and not short.event else None
