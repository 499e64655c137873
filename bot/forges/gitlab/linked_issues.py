"""The lines of a change's description that name issues; they stay when the rest is written anew."""

from __future__ import annotations

import re
from collections.abc import Mapping

BEGIN, END = "<!-- pointsman:issues -->", "<!-- /pointsman:issues -->"
BLOCK = re.compile(rf"\n*{re.escape(BEGIN)}\n(?P<lines>.*?){re.escape(END)}", re.DOTALL)
LINE = re.compile(r"^(?P<word>Closes|Related to) (?P<name>\S+)$", re.MULTILINE)


def lines_of(text: str) -> dict[str, str]:
    """Issue -> the word that stands before it."""
    block = BLOCK.search(text)
    return {line["name"]: line["word"] for line in LINE.finditer(block["lines"])} if block else {}


def with_lines(text: str, lines: Mapping[str, str]) -> str:
    """The text with these lines at its end instead of those that it has."""
    body = BLOCK.sub("", text)
    if not lines:
        return body
    said = "".join(f"{word} {name}\n" for name, word in lines.items())
    return f"{body}\n\n{BEGIN}\n{said}{END}".lstrip("\n")
