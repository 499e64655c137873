"""A worker in a process of its own: applies one target, says how it went, and stays until it is killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bot.domain.effect import Target
from tests.deploy.ground import Ground


def main() -> None:
    """`worker.py HOME TARGET CODE`: the last two are JSON and the service's text."""
    home, target, code = sys.argv[1:]
    ground = Ground(Path(home))
    ground.files.add(app=code)
    health = ground.apply(Target.model_validate_json(target))
    sys.stdout.write(health.model_dump_json(by_alias=True) + "\n")
    sys.stdout.flush()
    time.sleep(300)


main()
