"""What a handler answers: facts to record, effects to perform, moments to wake up at, messages to other
traces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.effect import Effect
from bot.domain.event import Draft


@dataclass(frozen=True)
class Timer:
    """At `at` (aware), record `draft` in the trace. `name` is unique in the trace: the same name is set
    once.
    """

    name: str
    at: datetime
    draft: Draft
    shared: bool = False
    """All traces of the repository wait for this moment: it is one timer for all of them, which reaches those
    that are open by then."""


@dataclass(frozen=True)
class Message:
    """A fact for another trace of the same tenant, delivered through the inbox. `name` makes it arrive
    once.
    """

    trace_id: str
    name: str
    draft: Draft


@dataclass(frozen=True)
class Sweep:
    """A fact for every open trace of a repository (a policy push concerns them all). `name` makes it arrive
    once in each; `after` goes on behind the trace that the sweep before ended with. `only_changes`: those
    whose change is open, no others; `ended`: also those that are over.
    """

    name: str
    forge: str
    repository: str
    draft: Draft
    after: str = ""
    only_changes: bool = False
    ended: bool = False


@dataclass(frozen=True)
class Decision:
    """Empty means: nothing to do. Decisions add up with `+`, in order."""

    events: tuple[Draft, ...] = ()
    effects: tuple[Effect, ...] = ()
    timers: tuple[Timer, ...] = ()
    messages: tuple[Message, ...] = field(default=())
    sweeps: tuple[Sweep, ...] = ()

    def __add__(self, other: Decision) -> Decision:
        return Decision(
            self.events + other.events,
            self.effects + other.effects,
            self.timers + other.timers,
            self.messages + other.messages,
            self.sweeps + other.sweeps,
        )


NOTHING = Decision()


def record(*drafts: Draft) -> Decision:
    """A decision that only states facts."""
    return Decision(events=drafts)


def do(*effects: Effect) -> Decision:
    """A decision that only wants something done outside."""
    return Decision(effects=effects)
