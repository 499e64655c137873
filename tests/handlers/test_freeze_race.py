"""A freeze can not be raced: what starts a deployment looks at the freeze in the transaction that starts it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import effect as fx
from bot.domain.model import Model
from handlers import deployment_orchestrator
from tests.handlers.fake_forge import FakeForge
from tests.handlers.world import FROZEN, World

APPROVE = "/approve-release production fine"
CLOSED = datetime(2026, 12, 18, 0, 0, tzinfo=UTC)


class Slow(FakeForge):
    """Looks so long before production starts that the freeze has begun meanwhile."""

    late: bool = False

    def do_gather_facts(self, effect: fx.GatherFacts, world: Any) -> Model:
        staged = world.state.deployments.get("staging")
        if effect.purpose == "deploy" and staged and staged.status == "completed":
            world.now, self.late = CLOSED, True
        return super().do_gather_facts(effect, world)


def delivered() -> World:
    world = World(policy=FROZEN, forge=Slow())
    world.now = datetime(2026, 12, 17, 22, 0, tzinfo=UTC)
    return world.submit().tests().comment("jane.doe", APPROVE)


def test_a_freeze_that_begins_before_the_start_is_minded() -> None:
    world = delivered()
    assert isinstance(world.forge, Slow)
    assert world.forge.late, "the release was approved, and its start was asked for"
    assert world.deployer.running == {"staging": "1.0.0"}
    assert world.state.releases["production"].reason_code == "FreezeActive"


def test_a_start_that_trusts_the_verdict_of_before_turns_it_red(monkeypatch: pytest.MonkeyPatch) -> None:
    real = deployment_orchestrator.evaluate

    def of_before(view: Any) -> Any:
        from dataclasses import replace

        return real(replace(view, now=datetime(2026, 12, 17, 22, 0, tzinfo=UTC)))

    monkeypatch.setattr(deployment_orchestrator, "evaluate", of_before)
    with pytest.raises(AssertionError):
        test_a_freeze_that_begins_before_the_start_is_minded()
