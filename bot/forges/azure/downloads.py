"""Files that an answer names the address of: whether the bot's token may go there, and how much is kept."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urlsplit

HOSTS = (".dev.azure.com", ".visualstudio.com")
"""Hosted organisations keep their artefacts beside their API."""
CHUNK, IN_MEMORY = 64 * 1024, 4 * 1024 * 1024


def belongs(organisation: str, address: str) -> bool:
    """Whether an address is the forge's own: on its host, or for the hosted one on another of its hosts."""
    ours, there = urlsplit(organisation), urlsplit(address)
    if (there.scheme, there.netloc) == (ours.scheme, ours.netloc):
        return True
    hosted = f".{ours.hostname or ''}".endswith(HOSTS)
    return hosted and there.scheme == "https" and f".{there.hostname or ''}".endswith(HOSTS)


def kept(chunks: Iterable[bytes], most: int) -> IO[bytes] | None:
    """A file of what comes, to be closed by whoever reads it; None when that is more than so many bytes."""
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it is given away
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            file.close()
            return None
        file.write(chunk)
    file.seek(0)
    return file
