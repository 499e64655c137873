"""GitHub stages for tests of this forge alone: as an App, and as the user of a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.domain import effect as e
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from tests.forges.conformance.stages.github import GitHubStage, opened

TOKEN = "ghp_" + "T0kenOfATest" * 3
Do = Callable[..., Model]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[GitHubStage]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def user_stage(tmp_path: Path) -> Iterator[GitHubStage]:
    with opened(tmp_path, token=TOKEN) as made:
        yield made


def doing(stage: GitHubStage) -> Do:
    """Perform an effect on a stage as the engine does."""

    def perform(effect: e.Effect, effect_id: str = "trace-1.000007.0", attempt: int = 1) -> Model:
        where = effect.repository or stage.repository
        effect = effect.model_copy(update={"target": "github", "repository": where})
        return stage.forge.perform(effect_id, effect, EffectContext("acme", "trace-1", {}.get, attempt))

    return perform


@pytest.fixture
def do(stage: GitHubStage) -> Do:
    return doing(stage)
