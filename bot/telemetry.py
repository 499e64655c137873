"""Logs as JSON lines with secrets taken out: `configure(settings)` once, then `log = get_logger(__name__)`.

A value is hidden when its key sounds like a secret, when it looks like a token of a known kind, or when it
was `hide`n.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

HIDDEN = "[hidden]"
SECRET_KEY = re.compile(
    r"(?i)(secret|password|passwd|token|authorization|cookie|credential|private_?key|api_?key)"
)
SECRET_TEXT = re.compile(
    r"(?i)(\bgh[pousr]_[0-9a-z]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bpm_[0-9a-f]{12}_[\w-]{20,}"
    r"|\b(?:bearer|basic)\s+[\w.~+/=-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END[^-]*-----)"
)
SHORTEST_HIDDEN = 6
"""Shorter known values would blank ordinary words."""
_hidden: set[str] = set()


def hide(values: Iterable[str | bytes]) -> None:
    """Never show these values again, in any log or stored traceback."""
    texts = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in values)
    _hidden.update(text for text in texts if len(text) >= SHORTEST_HIDDEN)


def redact(text: str) -> str:
    """`text` without known secrets and without what looks like one."""
    for value in _hidden:
        text = text.replace(value, HIDDEN)
    return SECRET_TEXT.sub(HIDDEN, text)


def _clean(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        return HIDDEN if value and SECRET_KEY.search(key) else redact(value)
    if isinstance(value, dict):
        return {name: _clean(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner, key) for inner in value]
    return value if isinstance(value, (int, float, bool, type(None))) else redact(str(value))


def hide_secrets(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor; last before rendering, so that tracebacks pass through it too."""
    return {name: _clean(value, name) for name, value in entry.items()}


def configure(level: str = "INFO", secrets: Iterable[str | bytes] = ()) -> None:
    """JSON lines on standard error (standard output belongs to commands' answers)."""
    hide(secrets)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        # Looked up at each line: whoever runs us may have put another stream in its place since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> Any:
    """A structlog logger that says where it speaks from."""
    if not structlog.is_configured():
        configure()  # structlog's own defaults print the local variables of every frame of a traceback
    return structlog.get_logger(module=name)
