"""The last lines of a service's log, fit to be shown: without secrets, without terminal codes, bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from bot import telemetry

LINES = 20
LINE_LENGTH = 500
READ_BYTES = 64 * 1024
FILES_KEPT = 10
SHORTEST_SECRET = 4
"""Shorter ones would blank ordinary words."""
ASSIGNMENT = re.compile(
    r"(?i)([\w-]*(?:secret|password|passwd|token|api[_-]?key|credential)[\w-]*[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


@cache
def _shapes() -> tuple[re.Pattern[str], ...]:
    """What keys and tokens of known services look like, by detect-secrets (not its guesses by entropy)."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    detectors: dict[str, Any] = get_mapping_from_secret_type_to_class()
    used = (
        d
        for d in detectors.values()
        if issubclass(d, RegexBasedDetector) and d.__name__ != "IPPublicDetector"
    )
    return tuple(shape for detector in used for shape in detector().denylist)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with these secrets, and whatever looks like one, hidden."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, telemetry.HIDDEN)
    text = ASSIGNMENT.sub(rf"\1{telemetry.HIDDEN}", telemetry.redact(text))
    for shape in _shapes():
        text = shape.sub(telemetry.HIDDEN, text)
    return text


def tail(log: Path, secrets: Iterable[str] = (), lines: int = LINES) -> str:
    """The last lines of a log, through a change of files, masked."""
    raw = b"".join(_end(path) for path in (log.with_name(f"{log.name}.1"), log))
    text = CONTROL.sub("", raw[-READ_BYTES:].decode(errors="replace"))
    # Masked before it is cut: half a secret has no shape any more.
    return "\n".join(line[:LINE_LENGTH] for line in mask(text, secrets).splitlines()[-lines:])


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
