"""Files of a zip archive that somebody else packed: read in memory, one by one, never more than is wanted.

Names are only told, never written to; a name, a size or a kind that is not to be trusted is told without
content.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from bot.domain.errors import Permanent, Retryable
from bot.forges.port import REPORT_CAP, Report

MOST_FILES = 5_000
MOST_BYTES = 256 * 1024 * 1024
"""Unpacked from one archive, in all."""
ENCRYPTED = 0x1


def files(packed: IO[bytes], *, without: str = "") -> Iterator[Report]:
    """Its files; `without` is a folder that all of them may be in.

    Raises Retryable for half an archive, Permanent('ArchiveTooLarge') for one of very many files.
    """
    try:
        with zipfile.ZipFile(packed) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > MOST_FILES:
                raise Permanent(
                    "ArchiveTooLarge", f"an artefact has {len(entries)} files; {MOST_FILES} are read at most"
                )
            left = MOST_BYTES
            for one in entries:
                content = _content(archive, one, min(REPORT_CAP, left)) if _plain(one) else None
                left -= len(content or b"")
                yield Report(_name(one.filename, without), content)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Retryable("an artefact came cut, or is no zip archive") from error


def _plain(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.split("/")
    escapes = (
        entry.filename.startswith("/") or "\\" in entry.filename or not {"", ".", ".."}.isdisjoint(parts)
    )
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    return not (escapes or is_link or entry.flag_bits & ENCRYPTED or not entry.filename.isprintable())


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes | None:
    """At most so many bytes are unpacked, whatever the archive says of the size."""
    try:
        with archive.open(entry) as opened:
            data = opened.read(most + 1)
    except NotImplementedError:  # a compression that Python does not know
        return None
    return data if len(data) <= most else None


def _name(path: str, without: str) -> str:
    return path.removeprefix(f"{without}/") if without else path
