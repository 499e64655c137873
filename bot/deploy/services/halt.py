"""Stopping a service and what it started in its process group. Nothing that is not ours is ever signalled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from bot.deploy.services import keeper, records
from bot.deploy.services.records import ServiceRecord

GRACE_S = 5.0
KILL_S = 5.0
POLL_S = 0.02
MARK = "APP_INSTANCE"
"""Variable of the environment that says which start a process came from."""


def stop(record: ServiceRecord, grace_s: float = GRACE_S) -> bool:
    """SIGTERM to the group, SIGKILL after `grace_s`. False when there was nothing of ours to stop."""
    if not _ours(record):
        return False
    _signal(record.pid, signal.SIGTERM)
    if not _gone(record.pid, grace_s):
        _signal(record.pid, signal.SIGKILL)
        _gone(record.pid, KILL_S)
    return True


def sweep(record: ServiceRecord) -> None:
    """Kill what an ended service has left behind in its group."""
    if _ours(record):
        _signal(record.pid, signal.SIGKILL)
        _gone(record.pid, KILL_S)


def _ours(record: ServiceRecord) -> bool:
    """The recorded process itself, or, when it is gone, a member of its group that carries its mark."""
    return records.alive(record) or any(_marked(pid, record.instance) for pid in _members(record.pid))


def _members(group: int) -> list[int]:
    """Processes of a group by /proc; elsewhere an ended leader's group is left alone."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def _marked(pid: int, instance: str) -> bool:
    try:
        return f"{MARK}={instance}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # macOS answers EPERM for a group of zombies


def _gone(group: int, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return True
        if keeper.LINUX and not _members(group):
            return True  # only zombies are left, and nobody who reaps them (a container without an init)
        time.sleep(POLL_S)
    return False
