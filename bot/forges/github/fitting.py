"""Texts that are too long for GitHub: cut, and where there is a page of all of it, with a link to it."""

from __future__ import annotations

LONGEST_BODY = 65_535
"""Of a change, an issue, a comment, the summary of a check."""
LONGEST_NOTES = 125_000
LONGEST_TITLE = 256
CUT = "\n\n… The rest is too long for GitHub: [see all of it]({}).\n"
CUT_WITHOUT_LINK = "\n\n… The rest is too long for GitHub.\n"


def fitted(text: str, url: str = "", *, most: int = LONGEST_BODY, end: str = "") -> str:
    """`text` and `end`, which is never cut, in at most `most` bytes.

    GitHub says characters. Bytes are counted, so that it fits however they are counted there.
    """
    said, room = text.encode(), most - len(end.encode())
    if len(said) <= room:
        return text + end
    cut = CUT.format(url) if url else CUT_WITHOUT_LINK
    return said[: room - len(cut.encode())].decode(errors="ignore") + cut + end


def one_line(text: str, most: int = LONGEST_TITLE) -> str:
    """A title or a description of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
