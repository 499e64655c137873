"""Trailers of commit messages: written, read, and the trace they name (domain.md, "Trace linkage")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.errors import Permanent

TRAILER = re.compile(r"^(?P<key>[A-Za-z0-9-]+)\s*:\s*(?P<value>.*\S)\s*$")
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
CO_AUTHOR = re.compile(r"^co-authored-by:.*<([^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
"""The address of everybody else who wrote a commit."""
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


def message_with(message: str, trailers: Mapping[str, str]) -> str:
    """The message with its trailers, as `git interpret-trailers` reads them back. Values are put on one line.

    Raises Permanent('InvalidTrailer') for a key that is none.
    """
    for key in trailers:
        if not KEY.fullmatch(key):
            raise Permanent("InvalidTrailer", f"{key!r} cannot be the key of a trailer")
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value.split()]
    body = message.strip()
    return f"{body}\n\n" + "\n".join(lines) + "\n" if lines else f"{body}\n"
