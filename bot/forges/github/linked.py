"""Which issues the text of a change names, and the part of it in which the bot names some. Pure.

GitHub links a change to an issue by these words alone, and closes it when the change is merged into the
default branch: https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
"""

from __future__ import annotations

import re
from collections.abc import Iterable

BEGIN, END = "<!-- pointsman:issues -->", "<!-- pointsman:issues-end -->"
BLOCK = re.compile(rf"\n*{BEGIN}\n(?P<lines>.*?)\n{END}", re.DOTALL)
CLOSING = r"(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)"
REFERENCE = re.compile(
    r"(?:(?P<repository>[A-Za-z0-9][\w.-]*/[\w.-]+))?#(?P<number>[1-9]\d{0,8})|AB#(?P<item>[1-9]\d{0,8})"
)
"""An issue here, one of another repository, or a work item of Azure Boards."""


def linked_in(text: str) -> str:
    """The bot's part of a text, with the blank line before it; empty when there is none."""
    found = BLOCK.search(text)
    return f"\n\n{BEGIN}\n{found['lines']}\n{END}" if found else ""


def with_links(text: str, references: Iterable[str], *, closes: bool) -> str:
    """The text with those references in its part that it does not have yet."""
    new = [reference for reference in dict.fromkeys(references) if not names(text, reference, closes=closes)]
    if not new:
        return text
    word = "Closes" if closes else "About"
    found = BLOCK.search(text)
    lines = [found["lines"]] if found else []
    lines += [f"{word} {reference}" for reference in new]
    part = f"{BEGIN}\n" + "\n".join(lines) + f"\n{END}"
    before = BLOCK.sub("", text).rstrip()
    return f"{before}\n\n{part}" if before else part


def names(text: str, reference: str, *, closes: bool) -> bool:
    """Whether a text names an issue; with `closes`, in words that close it."""
    before = rf"\b{CLOSING}:?\s+" if closes else r"(?<![\w/&])"
    return re.search(rf"{before}{re.escape(reference)}(?!\w)", text, re.IGNORECASE) is not None
