"""The performer of `TryPolicy`: reads the forge and the log, changes neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

import policies
from bot.domain.effect import Effect, NewlyBlocked, PolicyTrial, TriedCase, TryPolicy
from bot.domain.errors import Invalid, Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.port import Forge
from bot.log import Store, load
from bot.log.tables import HEADS
from bot.trial import brought
from bot.trial.past import asked_again
from handlers.backtest import newly_blocked
from policies import unit

TOLD = 20
"""So many differing verdicts are named; more are counted."""


def _now() -> datetime:
    return datetime.now(UTC)


class PolicyTrier:
    """Tries policies. `clock` says now (aware, UTC)."""

    def __init__(
        self, forges: Mapping[str, Forge], store: Store, clock: Callable[[], datetime] = _now
    ) -> None:
        self.forges = forges
        self.store = store
        self.clock = clock

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        """Raises Permanent, Retryable."""
        if not isinstance(effect, TryPolicy):
            raise Permanent("UnknownEffect", f"{effect.kind} is no trial of a policy.")
        found = brought.read(self.forges[effect.forge], effect_id, effect, context)
        try:
            policy = found.load(effect.organisation)
        except policies.PolicyErrors as broken:
            return PolicyTrial(errors=tuple(str(error) for error in broken.errors))
        rules = unit.rules(policy)
        cases = tuple(_cases(policy, found, rules))
        trial = PolicyTrial(cases=cases, rules=len(rules), tried=sum(not rule.missing for rule in rules))
        return trial.model_copy(update=self._of_the_log(policy, effect, context.tenant_id))

    def _of_the_log(self, policy: policies.Policy, effect: TryPolicy, tenant: str) -> dict[str, object]:
        with self.store.read() as session:
            names = _traces(session, tenant, effect)
            past = asked_again(session, tenant, names[: effect.traces], policy)
            opened, blocked = self._open_changes(session, tenant, names, policy)
        return {
            "traces": min(len(names), effect.traces),
            "cut": len(names) > effect.traces,
            "verdicts": past.asked,
            "differing": len(past.differences),
            "differences": past.differences[:TOLD],
            "open_changes": opened,
            "blocked": tuple(blocked),
        }

    def _open_changes(
        self, session: Session, tenant: str, names: list[str], policy: policies.Policy
    ) -> tuple[int, list[NewlyBlocked]]:
        count, now = 0, self.clock()
        blocked: list[NewlyBlocked] = []
        for name in names:
            state = load(session, tenant, name)
            if (state.change or {}).get("state") == "open":
                count += 1
                blocked += newly_blocked(state, policy, now)
        return count, blocked


def _cases(policy: policies.Policy, found: brought.Brought, rules: list[unit.Tried]) -> Iterator[TriedCase]:
    for file, text in found.suites().items():
        try:
            suite = unit.read(text, file)
        except (policies.PolicyErrors, Invalid) as broken:
            yield TriedCase(file=file, name="", problems=(str(broken),))
            continue
        for outcome in unit.run(policy, suite, file, found.known, rules):
            yield TriedCase(file=outcome.file, name=outcome.name, problems=outcome.problems)


def _traces(session: Session, tenant: str, effect: TryPolicy) -> list[str]:
    """The traces of the repository that moved last, one more than are asked."""
    query = (
        sa.select(HEADS.c.trace_id)
        .where(
            HEADS.c.tenant_id == tenant,
            HEADS.c.forge == effect.forge,
            HEADS.c.repository == effect.repository,
        )
        .order_by(HEADS.c.updated_at.desc(), HEADS.c.trace_id)
        .limit(effect.traces + 1)
    )
    return list(session.execute(query).scalars())
