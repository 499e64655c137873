"""Files of a zip archive that a CI job packed: by whoever can push, so nothing in it is believed.

Nothing is written to a disk. An entry is read up to its cap, whatever size it claims to have.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from bot.domain.errors import Permanent, Retryable
from bot.forges.port import REPORT_CAP, Report

MOST_FILES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""Of all files of one archive together; what comes after that is told without its content."""


def reports(packed: IO[bytes], name: str) -> Iterator[Report]:
    """The files of the archive `name`, in its order; folders and links are none.

    Raises Permanent('UnsafeArchive') before the first file is given, Retryable for an archive that was cut.
    """
    try:
        with zipfile.ZipFile(packed) as archive:
            listed = [info for info in archive.infolist() if _is_file(info)]
            _check(listed, name)
            left = MOST_BYTES
            for info in listed:
                content = _content(archive, info, min(REPORT_CAP, left))
                left -= len(content or b"")
                yield Report(info.filename, content)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Retryable(f"the archive {name} was cut short or is broken") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Permanent("UnsafeArchive", f"the archive {name} is packed in a way that is not read") from error


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return not info.is_dir() and kind in {0, stat.S_IFREG}


def _check(listed: list[zipfile.ZipInfo], name: str) -> None:
    if len(listed) > MOST_FILES:
        said = f"the archive {name} has {len(listed)} files; {MOST_FILES} are read at most"
        raise Permanent("UnsafeArchive", said)
    for info in listed:
        parts = info.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or not info.filename.isprintable():
            said = f"the archive {name} has {info.filename!r}, which is no path inside it"
            raise Permanent("UnsafeArchive", said)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes | None:
    """None for more than `most` bytes, whatever the entry says of itself."""
    if info.file_size > most:
        return None
    with archive.open(info) as entry:
        content = entry.read(most + 1)
    return content if len(content) <= most else None
