"""The trace a commit message names: a `Trace-Id:` trailer, or inline `[trace:... sprint:...]` (domain.md)."""

from __future__ import annotations

import re

TRAILER = re.compile(r"^(?P<key>[A-Za-z0-9-]+)\s*:\s*(?P<value>.*\S)\s*$")
INLINE = re.compile(r"\[(?:[^\][]*\s)?trace:(?P<trace>[^\s\][]+)[^\][]*\]")


def trailers(message: str) -> dict[str, str]:
    """The trailers of the last paragraph, by lower-case key; the last of a key counts.

    The paragraph counts when each of its lines is a trailer or continues one, as ours always is.
    """
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", message.strip()) if part.strip()]
    if len(paragraphs) < 2:  # noqa: PLR2004 - the first paragraph is the subject
        return {}
    found: dict[str, str] = {}
    key = ""
    for line in paragraphs[-1].splitlines():
        if key and line[:1] in {" ", "\t"}:
            found[key] += f" {line.strip()}"
            continue
        match = TRAILER.match(line)
        if match is None:
            return {}
        key = match["key"].lower()
        found[key] = match["value"]
    return found


def trace_of(message: str) -> str | None:
    """The trace that a commit message names, or None."""
    inline = INLINE.search(message)
    return trailers(message).get("trace-id") or (inline["trace"] if inline else None)
