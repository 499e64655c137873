"""Keeps one service after its worker is gone: writes its log within bounds, notes how it ended.

Runs as a file of its own (`python -I -S keeper.py`, the order as JSON on standard input), with the standard
library alone, so that it starts quickly and holds nothing of the bot. Answers in JSON:
`{"pid": 1}` or `{"error": "..."}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

LINUX = sys.platform.startswith("linux")
DRAIN_S = 0.5
"""How long the log may take to arrive after the end; what the service started may hold the pipe for ever."""


def process_start(pid: int) -> tuple[str, str] | None:
    """State letter and start time of a process: its number may go to another, both together not."""
    return _from_proc(pid) if LINUX else _from_ps(pid)


def _from_proc(pid: int) -> tuple[str, str] | None:
    # proc(5): the name in parentheses may hold anything; field 3 is the state, 22 the start in ticks.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (OSError, ValueError):
        return None
    return fields[0], f"{fields[19]}@{boot}"


def _from_ps(pid: int) -> tuple[str, str] | None:
    # POSIX `ps`; whole seconds, which is as exact as it gets without /proc.
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
    ).stdout.strip()
    state, _, started = told.partition(" ")
    return (state[0], " ".join(started.split())) if started else None


def _replace(path: Path, data: dict[str, Any]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - mode from the start
        json.dump(data, file, indent=2, sort_keys=True)
    fresh.replace(path)


def _answer(said: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the worker may have died meanwhile; the service does not care
        os.write(1, json.dumps(said).encode())
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _pump(source: int, log: Path, cap: int) -> None:
    """Copy until the last writer is gone. At `cap` bytes the file becomes `<log>.1` and a new one begins."""
    size = 0
    while data := os.read(source, 65536):
        with contextlib.suppress(OSError):  # a full disk costs log lines, never the service
            if size and size + len(data) > cap:
                log.replace(log.with_name(f"{log.name}.1"))
                size = 0
            with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:  # noqa: PTH123 - as above
                size += file.write(data)


def keep(order: dict[str, Any]) -> None:
    """Start the ordered service, record it, stay until it and everything that writes to its log are gone."""
    try:
        service = subprocess.Popen(
            order["argv"],
            cwd=order["cwd"],
            env=order["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _answer({"error": f"{type(error).__name__}: {error}"})
        return
    started = process_start(service.pid)
    record = order["record"] | {"pid": service.pid, "started": started[1] if started else ""}
    _replace(Path(order["recordPath"]), record)
    _answer({"pid": service.pid})
    assert service.stdout is not None
    pump = threading.Thread(target=_pump, args=(service.stdout.fileno(), Path(order["log"]), order["logCap"]))
    pump.start()
    status = service.wait()
    pump.join(DRAIN_S)
    with contextlib.suppress(OSError):
        _replace(Path(order["endingPath"]), {"instance": order["record"]["instance"], "status": status})
    pump.join()


def main() -> None:
    """Leave the worker's family first: what is nobody's child is nobody's zombie."""
    order = json.load(sys.stdin)
    if os.fork():
        os._exit(0)
    keep(order)


if __name__ == "__main__":
    main()
