"""Which lines of a comment are commands: plain text of the comment itself, never what it quotes or shows.

The comment is read as CommonMark (https://spec.commonmark.org), the way forges render it. Code blocks, code
spans, block quotes, lists, tables and HTML are not the author speaking to the bot.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

# A backslash at the end is a line break of Markdown.
COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9-]*)(?:[ \t]+(.*?))?\\?[ \t]*")
# Private-use characters mark candidate lines: where a mark ends up in the parsed text tells what its line is.
OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
# What a reader does not see, or sees as somebody else's words, up to the closing tag and across blank lines.
ASIDE = frozenset({"blockquote", "details", "pre", "table", "template"})

_MARKDOWN = MarkdownIt("commonmark").enable("table")


def command_lines(body: str) -> list[str]:
    """The lines of `body` that are commands, in order, without white space at their ends."""
    text = body.replace(OPEN, "").replace(CLOSE, "").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    candidates = {number for number, line in enumerate(lines) if COMMAND.fullmatch(line)}
    if not candidates:
        return []
    marked = [f"{OPEN}{n}{CLOSE}{line}" if n in candidates else line for n, line in enumerate(lines)]
    return [lines[number].strip() for number in _spoken(_MARKDOWN.parse("\n".join(marked)))]


def _spoken(tokens: list[Token]) -> list[int]:
    """Numbers of the marked lines that are plain text at the top level."""
    found: list[int] = []
    aside = _Aside()
    depth = 0
    for token in tokens:
        if token.type == "html_block":
            aside.feed(token.content)
        elif token.type != "inline":
            depth += 0 if _is_plain(token) else token.nesting
        elif depth == 0 and not aside.open:
            texts = (
                child.content for child in token.children or () if child.type == "text" and child.level == 0
            )
            found += [int(number) for text in texts for number in MARK.findall(text)]
    return found


def _is_plain(token: Token) -> bool:
    """A paragraph; or an underlined heading, which to its author is a line above a rule."""
    return token.type.startswith("paragraph_") or (
        token.type.startswith("heading_") and token.markup in {"-", "="}
    )


class _Aside(HTMLParser):
    """The open elements that set their content aside. One that is never closed sets the rest aside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - inherited
        if tag in ASIDE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass
