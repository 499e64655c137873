"""The steps of the demo, in order. Each makes something happen and looks whether it really did; its answer is
the evidence.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.demo import processes
from bot.demo.asking import Asking, DidNotHappen
from bot.demo.place import Place
from bot.deploy.services import census
from bot.domain.event import Event

WRONG = "the demo's claim does not hold"


@dataclass
class Story:
    """What the steps share."""

    place: Place
    ask: Asking
    web: processes.Process
    worker: processes.Process
    trace: str = ""
    change: int = 0
    urls: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a step leaves behind: the events that prove it, and what a reader wants to see."""

    events: list[Event]
    detail: dict[str, Any]
    said: str


Step = Callable[[Story], Told]


def claim(holds: object, what: str) -> None:
    """The demo fails when a claim does not hold."""
    if not holds:
        raise DidNotHappen(f"{WRONG}: {what}")


def git(place: Place, *arguments: str) -> str:
    """Ask git about the bare repository."""
    done = subprocess.run(
        ["git", "-C", str(place.repository), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def cli(place: Place, *arguments: str, database: str = "") -> tuple[int, dict[str, Any]]:
    """Ask `pointsman ... --output json`, as anybody would. Returns its exit code and its answer."""
    environment = {**os.environ, **place.environment} | (
        {"POINTSMAN_DATABASE_URL": database} if database else {}
    )
    command = [sys.executable, "-m", "bot.cli", *arguments, "--output", "json"]
    done = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, cwd=place.home
    )
    return done.returncode, json.loads(done.stdout)


def running(place: Place, environment: str) -> census.ServiceStatus:
    """What the machine says runs in an environment: a live process with the start time that was written
    down.
    """
    found = [service for service in census.status(place.home) if service.environment == environment]
    claim(len(found) == 1 and found[0].state == "running", f"one service runs in {environment}")
    return found[0]
