"""The documentation as data: pages, their links, their code, and the steps that a reader would follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
MARKDOWN = MarkdownIt("commonmark").enable("table")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Everything people read, beside the records of decisions."""
    return sorted(
        [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "recipes").glob("*.md")]
    )


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def tokens(page: Path) -> list[Token]:
    return MARKDOWN.parse(page.read_text(encoding="utf-8"))


def prose(page: Path) -> Iterator[Token]:
    """The inline tokens: headings, paragraphs, cells."""
    return (token for token in tokens(page) if token.type == "inline")


def spans(page: Path) -> list[str]:
    """Everything written as inline code."""
    return [
        child.content
        for token in prose(page)
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def links(page: Path) -> list[str]:
    found = []
    for token in prose(page):
        for child in token.children or ():
            found += [str(child.attrs[key]) for key in ("href", "src") if key in child.attrs]
    return found


def anchors(page: Path) -> set[str]:
    """The targets of `#fragment`, made from headings as forges do."""
    parsed = tokens(page)
    titles = [after.content for token, after in pairwise(parsed) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@dataclass(frozen=True)
class Step:
    """One block of code with what the sentence above it says is to be done with it."""

    do: str
    """`write`, `append`, `below`, `instead`, `run`; empty: only to be read."""
    text: str
    language: str
    path: str = ""
    anchor: str = ""


SAID = (
    ("write", re.compile(r"Write `(?P<path>[^`]+)`:$")),
    ("append", re.compile(r"At the end of `(?P<path>[^`]+)`:$")),
    ("below", re.compile(r"In `(?P<path>[^`]+)`, below `(?P<anchor>[^`]+)`:$")),
    ("instead", re.compile(r"In `(?P<path>[^`]+)`, instead of `(?P<anchor>[^`]+)`:$")),
)


@cache
def steps(page: Path) -> list[Step]:
    """All blocks of code of a page, in order."""
    found, above = [], ""
    for token in tokens(page):
        if token.type == "fence":
            found.append(_step(token, above))
        if token.type == "inline":
            above = token.content.replace("\n", " ")
        elif token.type not in {"paragraph_open", "paragraph_close"}:
            above = ""
    return found


def _step(fence: Token, above: str) -> Step:
    language = fence.info.strip()
    for do, pattern in SAID:
        match = pattern.search(above)
        if match:
            return Step(do, fence.content, language, **match.groupdict())
    return Step("run" if language == "console" else "", fence.content, language)


@dataclass(frozen=True)
class Run:
    """A command of a `console` block and what it is shown to print."""

    command: str
    output: tuple[str, ...]


def runs(text: str) -> list[Run]:
    found: list[Run] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Run(line[2:], ()))
        elif found:
            found[-1] = Run(found[-1].command, (*found[-1].output, line))
    return found
