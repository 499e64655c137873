"""Every conformance test runs on every forge of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges import registry
from tests.forges.conformance.stage import Stage

Do = Callable[..., Model]


@pytest.fixture(params=sorted(registry()))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    module = import_module(f"tests.forges.conformance.stages.{request.param}")
    with module.stage(request, tmp_path) as made:
        yield made


@pytest.fixture
def events() -> dict[str, Event]:
    """Earlier events of the trace, by id."""
    return {}


@pytest.fixture
def do(stage: Stage, events: dict[str, Event]) -> Do:
    """Perform an effect as the engine does; the id is the same unless another is given."""

    def perform(effect: e.Effect, effect_id: str = "trace-1.000007.0") -> Model:
        effect = effect.model_copy(update={"target": stage.forge.name, "repository": stage.repository})
        return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", events.get))

    return perform
