"""Run one command in a process group of its own, watched: time, cancellation, output."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.forges.local.runner import launch
from bot.forges.local.runner.log import Log
from bot.forges.local.runner.results import Limits

POLL_S = 0.05
# Between the polite signal and the one that can not be ignored.
GRACE_S = 2.0
PIECE_BYTES = 65536
# More than a pipe holds on any Linux by default (64 KiB) or as its allowed maximum (1 MiB).
DRAIN_PIECES = 32


class Ended(NamedTuple):
    """How a command ended.

    `stopped` is empty, or why it was made to stop; a signal n is the exit code 128 + n, as shells say.
    """

    exit_code: int | None
    stopped: str = ""


class Place(NamedTuple):
    """Where a command runs, all it sees of an environment, and where its output goes."""

    folder: Path
    environment: Mapping[str, str]
    log: Log


def run(command: Sequence[str], place: Place, *, limits: Limits, stop: Callable[[], str]) -> Ended:
    """Run `command` to its end, or until `stop()` gives a reason; then the whole group is killed.

    Whatever the command left running in its group is killed at its end too. Raises OSError when it can not be
    started.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-S", launch.__file__, json.dumps(_rlimits(limits)), *command],
        cwd=place.folder,
        env=dict(place.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            reason = _watch(process, place.log, stop)
        finally:
            _kill(process)
        _drain(process, place.log)
    if reason:
        return Ended(None, reason)
    code = process.returncode
    return Ended(code if code >= 0 else 128 - code)


def _rlimits(limits: Limits) -> dict[str, int]:
    wanted = {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    if os.geteuid() != 0:
        wanted["RLIMIT_NPROC"] = limits.processes
    return wanted


def _watch(process: subprocess.Popen[bytes], log: Log, stop: Callable[[], str]) -> str:
    """Copy output until the command ends.

    Ends by the command, not by end of file: a left-over child may hold the pipe.
    """
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not _has_ended(process):
            if reason := stop():
                _ask_to_end(process)
                return reason
            if selector.get_map() and not selector.select(POLL_S):
                continue
            if not selector.get_map():
                time.sleep(POLL_S)
            elif not _copy(process, log):
                selector.unregister(process.stdout)
    return ""


def _copy(process: subprocess.Popen[bytes], log: Log) -> bool:
    """One piece of output if there is any; False at end of file."""
    assert process.stdout is not None
    try:
        piece = os.read(process.stdout.fileno(), PIECE_BYTES)
    except BlockingIOError:
        return True
    log.write(piece)
    return bool(piece)


def _drain(process: subprocess.Popen[bytes], log: Log) -> None:
    """What lies in the pipe after the end.

    Neither waits nor goes on for ever: a process that left the group may hold the pipe.
    """
    for _ in range(DRAIN_PIECES):
        if not _copy(process, log):
            return


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without collecting the dead process.

    Its id, which is the group's, must not be given away before the group is killed.
    """
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while not _has_ended(process) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the group, then collect the first process."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
