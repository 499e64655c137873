"""Logs as JSON lines with secrets taken out: `configure(settings)` once, then `log = get_logger(__name__)`.

A value is hidden when its key sounds like a secret, when it looks like a token of a known kind, or when it
was `hide`n.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any
from urllib.parse import quote, quote_plus

import structlog

HIDDEN = "[hidden]"
SECRET_KEY = re.compile(
    r"(?i)(secret|password|passwd|token|authorization|cookie|credential|private_?key|api_?key)"
)
SECRET_TEXT = re.compile(
    r"(?i)(\bgh[pousr]_[0-9a-z]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bpm_[0-9a-f]{12}_[\w-]{20,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"
    r"|\b(?:bearer|basic)\s+[\w.~+/=-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END[^-]*-----)"
)
SHORTEST_LINE, SHORTEST_CODED = 16, 8
IN_URLS = str.maketrans("+/", "-_")
SHORTEST_HIDDEN = 6
"""Shorter known values would blank ordinary words."""
_hidden: dict[str, None] = {}
"""The longest first: a value may be a part of another."""


def hide(values: Iterable[str | bytes]) -> None:
    """Never show these values again, in any log, stored error or answer, however they are written there."""
    texts = (value.decode(errors="replace") if isinstance(value, bytes) else value for value in values)
    found = {form for text in texts for form in _forms(text)} | _hidden.keys()
    _hidden.clear()
    _hidden.update(dict.fromkeys(sorted(found, key=len, reverse=True)))


def _forms(value: str) -> Iterator[str]:
    """A value as it is, as JSON and URLs write it, and in base64; of a key of many lines, each line, too."""
    lines = [
        line for line in value.splitlines() if len(line) >= SHORTEST_LINE and not line.startswith("-----")
    ]
    for text in (value, *(lines if "\n" in value else ())):
        if len(text) >= SHORTEST_HIDDEN:
            yield from (text, json.dumps(text)[1:-1], quote(text, safe=""), quote_plus(text))
            yield from _coded(text)


def _coded(text: str) -> Iterator[str]:
    """In base64 as far as what stands around it leaves it alone: `user:password` is one word there."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + text.encode()).decode()
        inner = coded[4 if before else 0 : -4]
        if len(inner) >= SHORTEST_CODED:
            yield from (inner, inner.translate(IN_URLS))


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
