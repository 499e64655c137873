"""Markdown that others wrote, as HTML that cannot do anything: none of theirs, no images, safe links."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

MARKS = re.compile(r"<!--\s*pointsman:.*?-->", re.DOTALL)
"""The bot's hidden marks: forges hide them, and so do we."""
_reader = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable(["table", "strikethrough"])
    .disable("image")
)


def render(text: str) -> Markup:
    """HTML of a comment, a change's body or a check's summary."""
    return Markup(_reader.render(MARKS.sub("", text).strip()))  # noqa: S704 - html is off, so nothing is let through
