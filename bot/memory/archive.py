"""A trace in one file: its artefacts, its events, and a manifest that `sha256sum -c MANIFEST` understands.

The same trace gives the same bytes: names sorted, no times, no owners.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO

from bot.domain.event import Event
from bot.memory.project import fold, project

EVENTS = "events.jsonl"
MANIFEST = "MANIFEST"


def export(tenant_id: str, trace_id: str, events: Sequence[Event]) -> bytes:
    """Everything there is of a trace."""
    return archive(project(fold(tenant_id, trace_id, events), events), events)


def archive(files: Mapping[str, str | bytes], events: Sequence[Event] = ()) -> bytes:
    """A `.tar.gz` of these files, the events (canonical JSON lines, as the log has them), the manifest."""
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    content[EVENTS] = b"".join(event.canonical() + b"\n" for event in events)
    sums = (f"{sha256(content[name]).hexdigest()}  {name}\n" for name in sorted(content))
    content[MANIFEST] = "".join(sums).encode()
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name in sorted(content):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content[name]), 0o644
            out.addfile(entry, BytesIO(content[name]))
    return gzip.compress(tar.getvalue(), mtime=0)
