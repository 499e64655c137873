"""A job's log: masked, capped, in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MASK = b"[MASKED]"


class Mask:
    """Replaces secret values in a stream that arrives in pieces, wherever the pieces are cut."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = sorted({secret.encode() for secret in secrets if secret}, key=len, reverse=True)
        self._longest = len(values[0]) if values else 0
        # Longest first: of two secrets that begin alike the whole longer one disappears.
        self._pattern = re.compile(b"|".join(map(re.escape, values))) if values else None
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What can be shown by now; the end is held back as long as a secret might begin there."""
        if self._pattern is None:
            return piece
        return self._replace(self._held + piece, keep=self._longest - 1)

    def finish(self) -> bytes:
        """The rest."""
        return self._replace(self._held, keep=0) if self._pattern else b""

    def _replace(self, text: bytes, *, keep: int) -> bytes:
        assert self._pattern is not None
        end = max(len(text) - keep, 0)
        shown, at = [], 0
        while (found := self._pattern.search(text, at)) and found.start() < end:
            shown += [text[at : found.start()], MASK]
            at = found.end()
        stop = max(at, end)
        self._held = text[stop:]
        return b"".join([*shown, text[at:stop]])


class Log:
    """Writes to `path` until `limit` bytes, then one last line, then nothing.

    `broken` says why nothing could be written any more (a full disk). The job goes on and is failed by it in
    the end, because output that nobody can read proves nothing.
    """

    def __init__(self, path: Path, secrets: Iterable[str], limit: int) -> None:
        self._file = path.open("wb", buffering=0)
        self._mask = Mask(secrets)
        self._left = limit
        self._limit = limit
        self.path = path
        self.broken = ""

    def write(self, piece: bytes) -> None:
        """Output of the job, in any pieces."""
        self._put(self._mask.feed(piece))

    def say(self, sentence: str) -> None:
        """A line of the runner's own, masked too: it may name a variable's value."""
        self.write(sentence.encode() + b"\n")

    def close(self) -> None:
        """Write what was held back and close the file."""
        self._put(self._mask.finish())
        self._file.close()

    def _put(self, text: bytes) -> None:
        if not text or self._left < 0 or self.broken:
            return
        shown = text[: self._left]
        self._left -= len(text)
        if self._left < 0:
            shown += f"\n[the log ends here: it is longer than {self._limit} bytes]\n".encode()
        try:
            self._file.write(shown)
        except OSError as error:
            self.broken = f"the log could not be written: {error.strerror}"
