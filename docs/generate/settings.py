"""docs/settings.md from `bot/settings.py`."""

from __future__ import annotations

from bot.settings import Settings
from docs.generate.text import code, fields, page, table

INTRO = """\
Settings come from the environment. Every one has a default that works on one machine with nothing set.
Secrets are comma-separated, so that a new one can be added before the old one is dropped."""


def text() -> str:
    """The page."""
    rows = [
        (code("POINTSMAN_" + name.strip("`").upper()), type_, default, said)
        for name, type_, default, said in fields(Settings)
    ]
    return page("Settings", INTRO, table(("variable", "type", "default", "meaning"), rows))
