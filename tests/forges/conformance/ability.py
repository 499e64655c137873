"""What a forge says that it cannot, it refuses: in the table with a reason, and when asked all the same."""

from __future__ import annotations

import pytest

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.capabilities import Feature
from tests.forges.conformance.conftest import Do
from tests.forges.conformance.stage import Stage


def cannot(stage: Stage, do: Do, feature: Feature, effect: e.Effect) -> bool:
    """Whether this forge lacks a feature. Then the test is over: it has seen the refusal."""
    support = stage.forge.capabilities[feature]
    if support.yes:
        return False
    assert support.note
    with pytest.raises(Permanent):
        do(effect)
    return True


def refused(do: Do, effect: e.Effect, effect_id: str = "trace-1.000007.0") -> str:
    """The reason code of an effect that is refused for good."""
    with pytest.raises(Permanent) as error:
        do(effect, effect_id)
    assert error.value.message
    return error.value.reason_code
