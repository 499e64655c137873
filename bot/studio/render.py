"""Templates to responses: everything escaped, nothing runs but our one script, nothing kept by caches."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.studio.views import MARKS, tone

HERE = Path(__file__).parent
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CODE = re.compile(r"`([^`]+)`")
STATIC = {
    "studio.css": "text/css; charset=utf-8",
    "studio.js": "text/javascript; charset=utf-8",
    "studio.svg": "image/svg+xml",
}

_pages = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def spoken(text: str) -> Markup:
    """A sentence in which `words` stand in backticks.

    The text is escaped first; nothing of it becomes markup but these.
    """
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


_pages.filters |= {"tone": tone, "mark": lambda state: MARKS[tone(state)], "spoken": spoken}


def page(
    template: str, status: int = 200, *, headers: dict[str, str] | None = None, **said: Any
) -> HTMLResponse:
    """A page. `caller` is None for whoever is not signed in."""
    content = _pages.get_template(template).render({"caller": None} | said)
    return HTMLResponse(content, status, HEADERS | (headers or {}))
