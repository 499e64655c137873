"""The end of a log, fit to be kept and shown: without secrets, without terminal codes, bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from bot import telemetry

LINES = 20
LINE_LENGTH = 500
SHORTEST_SECRET = 4
"""Shorter ones would blank ordinary words."""
ASSIGNMENT = re.compile(
    r"(?i)([\w-]*(?:secret|password|passwd|token|api[_-]?key|credential)[\w-]*[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
# Control sequences (ECMA-48), and the marks that CI systems put around sections.
CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|section_(?:start|end):\d+:\w+\r?|##\[(?:end)?group\]|[\x00-\x08\x0b-\x1f\x7f]"
)
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z ", re.MULTILINE)
"""GitHub and Azure put one before every line."""


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


def tail(text: str, secrets: Iterable[str] = (), lines: int = LINES) -> str:
    """The last lines of a log, masked."""
    shown = TIMESTAMP.sub("", CONTROL.sub("", text))
    # Masked before it is cut: half a secret has no shape any more.
    return "\n".join(line[:LINE_LENGTH] for line in mask(shown, secrets).splitlines()[-lines:])
