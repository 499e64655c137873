"""Who performs effects: forges, deployment strategies, the memory writer. One verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.domain.effect import Effect
from bot.domain.event import Event
from bot.domain.model import Model


@dataclass(frozen=True)
class EffectContext:
    """Whose effect it is. `find` reads an earlier event of the trace by id; `attempt` counts from 1."""

    tenant_id: str
    trace_id: str
    find: Callable[[str], Event | None]
    attempt: int = 1


class Performer(Protocol):
    """Does one effect, once. Looks for the mark of `effect_id` before it acts, because a reply may have been
    lost.
    """

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        """The result model of the effect's kind. Raises Retryable or Permanent (bot.domain.errors)."""
        ...
