"""The policy that all repositories of an organisation lie over, gathered with a repository's own facts.

It is the policy file of one more repository (docs/policy.md says which), read by the same forge in the same
way, and remembered for a minute. A repository that is not there, or that the bot can not see, has none; any
other failure fails the gathering, so that an outage never looks like "no policy".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bot.domain import payloads as p
from bot.domain.effect import Effect, GatherFacts
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext, Performer

REMEMBERED = 60.0
"""Seconds."""
MOST = 1000
"""Organisations that are remembered at once."""


def home_of(setting: str, repository: str) -> str:
    """The repository that holds the organisation's policy; empty: there is none for this one.

    `.github` is the repository of that name beside it, below the first part of its name; `pointsman/policy`
    is that one for all.
    """
    owner, _, name = repository.partition("/")
    home = setting if not setting or "/" in setting else f"{owner}/{setting}" if name else ""
    return "" if home.casefold() == repository.casefold() else home


@dataclass
class Layered:
    """A forge's performer whose gathered facts have the organisation's policy. `clock` in seconds."""

    forge: Performer
    setting: str
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        """As the forge's own. Raises Retryable, Permanent."""
        result = self.forge.perform(effect_id, effect, context)
        if not isinstance(effect, GatherFacts) or not isinstance(result, p.FactsGathered):
            return result
        home = home_of(self.setting, effect.repository)
        text = self._text(effect_id, effect, context, home) if home else None
        return result.model_copy(update={"organisation_text": text})

    def _text(self, effect_id: str, effect: GatherFacts, context: EffectContext, home: str) -> str | None:
        now = self.clock()
        with self._lock:
            at, text = self._known.get(home, (-REMEMBERED, None))
        if now - at < REMEMBERED:
            return text
        text = self._read(effect_id, effect, context, home)
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[home] = (now, text)
        return text

    def _read(self, effect_id: str, effect: GatherFacts, context: EffectContext, home: str) -> str | None:
        wanted = GatherFacts(
            target=effect.target, repository=home, purpose="organisation", correlation=effect.correlation
        )
        try:
            # Not the first attempt: what is not there is not waited for.
            found = self.forge.perform(effect_id, wanted, replace(context, attempt=2))
        except Permanent as missing:
            if missing.reason_code != "NotFound":
                raise
            return None
        assert isinstance(found, p.FactsGathered)
        return found.policy_text


def layered(forges: Mapping[str, Performer], settings: Mapping[str, str]) -> dict[str, Performer]:
    """Every forge's performer, with the organisation's policy where a repository is set for it."""
    wanted = {name: settings.get(name, "") for name in forges}
    return {name: Layered(forge, wanted[name]) if wanted[name] else forge for name, forge in forges.items()}
