"""How often things come round."""

from __future__ import annotations

import pytest

from bot.engine import schedules
from tests.engine.rig import settings_for


@pytest.mark.parametrize(
    ("minutes", "cron"),
    [
        (15.0, "23 */5 * * * *"),
        (3.0, "23 */1 * * * *"),
        (0.1, "*/2 * * * * *"),
        (0.001, "*/1 * * * * *"),
        (180.0, "23 0 * * * *"),
        (10_000.0, "23 0 * * * *"),
    ],
)
def test_reconciliation_comes_round_thrice_while_a_change_may_be_quiet(minutes: float, cron: str) -> None:
    said = schedules.crons(settings_for("sqlite://", reconcile_minutes=minutes))
    assert said[schedules.RECONCILE] == cron
    assert said[schedules.SWEEP] == "*/10 * * * * *"
