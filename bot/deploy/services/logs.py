"""The last lines of a service's log, and how many logs are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot import log_text

READ_BYTES = 64 * 1024
FILES_KEPT = 10


def tail(log: Path, secrets: Iterable[str] = (), lines: int = log_text.LINES) -> str:
    """The last lines of a log, through a change of files, masked."""
    raw = b"".join(_end(path) for path in (log.with_name(f"{log.name}.1"), log))
    return log_text.tail(raw[-READ_BYTES:].decode(errors="replace"), secrets, lines)


def _end(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - READ_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


def prune(folder: Path) -> None:
    """Keep the logs of the last FILES_KEPT starts; their names sort by time."""
    for path in sorted(folder.glob("*.log"))[:-FILES_KEPT]:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.1").unlink(missing_ok=True)
