"""A worker that is killed: `python -m tests.forges.dying HOME URL POINT EFFECT`.

POINT is `before` or `after` the move of a branch, or `telling` (in the transaction for it); EFFECT is JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.domain import effect as e
from bot.domain.performer import EffectContext
from bot.forges.local import commit, telling
from tests.forges.world import make

EFFECT_ID = "trace-1.000042.0"


def die(*_arguments: Any, **_named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    home, url, point, said = sys.argv[1:]
    effect = e.EFFECTS[json.loads(said)["kind"]].model_validate(json.loads(said)["effect"])
    forge = make(Path(home), url)
    move = commit.move
    if point == "telling":
        telling.add_revision = die
        telling.say_change = die
        telling.webhooks.enqueue = die  # type: ignore[assignment]
    else:
        commit.move = lambda *a: die() if point == "before" else (move(*a), die())  # type: ignore[assignment, return-value]
    forge.perform(EFFECT_ID, effect, EffectContext("acme", "trace-1", lambda _id: None))


if __name__ == "__main__":
    main()
