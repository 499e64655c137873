"""Templates to responses: everything is escaped, nothing runs but our one script, nothing is kept by caches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
_pages.filters |= {"tone": tone, "mark": lambda state: MARKS[tone(state)]}


def page(
    template: str, status: int = 200, *, headers: dict[str, str] | None = None, **said: Any
) -> HTMLResponse:
    """A page. `caller` is None for whoever is not signed in."""
    content = _pages.get_template(template).render({"caller": None} | said)
    return HTMLResponse(content, status, HEADERS | (headers or {}))
