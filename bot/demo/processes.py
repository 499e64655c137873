"""The demo's processes: a web (embedded forge, pages, runner) and a worker, as anyone would start them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

READY_IN_S = 60.0


class DidNotStart(Exception):
    """A process of the demo ended, or said nothing, before it was ready."""


@dataclass
class Process:
    """One `pointsman` process. Its log is `<home>/logs/<name>.log`."""

    name: str
    popen: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)

    def kill(self) -> int:
        """SIGKILL: no goodbye, no clean-up. Returns the pid that was killed."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        return self.popen.pid

    def stop(self) -> None:
        """Ask it to end; insist after ten seconds."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()


def start(name: str, arguments: list[str], environment: Mapping[str, str], home: Path) -> Process:
    """Start `pointsman ARGUMENTS` and wait for its line of JSON. Raises DidNotStart with the end of its
    log.
    """
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = (logs / f"{name}.log").open("a", encoding="utf-8")
    popen = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=home,
    )
    assert popen.stdout is not None
    process = Process(name, popen)
    try:
        process.ready = json.loads(_first_line(popen.stdout))
    except (queue.Empty, json.JSONDecodeError) as error:
        process.stop()
        tail = "".join((logs / f"{name}.log").read_text(encoding="utf-8").splitlines(keepends=True)[-15:])
        raise DidNotStart(f"the {name} process did not become ready:\n{tail}") from error
    return process


def _first_line(stream: IO[str]) -> str:
    """The first line of a stream; the rest is read away, so that the writer never blocks."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return lines.get(timeout=READY_IN_S)
