"""Permanent records of regulated releases: `compliance/<trace>/<sequence>-<environment>/`, written once.

Each holds the artefacts and events as they were when a deployment ended, and a manifest that
`sha256sum -c MANIFEST` understands. They follow from the log, so a record that is missing is made later; one
that is there is never touched again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from bot.domain.event import Event
from bot.domain.flow_state import environment_of
from bot.domain.trace import TraceState
from bot.memory.archive import EVENTS, MANIFEST
from bot.memory.layout import segment
from bot.memory.project import fold, project

ENDS = frozenset({"DeploymentCompleted", "DeploymentFailed", "RollbackTriggered"})
ROOM = "compliance"


def keep(place: Path, tenant_id: str, trace_id: str, events: Sequence[Event]) -> None:
    """Write the records of a trace that are not there yet into `place`. Raises OSError."""
    if not any(event.data.get("compliance") is True for event in events):
        return
    for end in events:
        if end.type not in ENDS:
            continue
        folder = place / f"{end.sequence:06d}-{segment(environment_of(end))}"
        if folder.exists():
            continue
        until = [event for event in events if event.sequence <= end.sequence]
        state = fold(tenant_id, trace_id, until)
        if regulated(state, environment_of(end)):
            _write_once(folder, dict(_content(state, until)))


def regulated(state: TraceState, environment: str) -> bool:
    """Whether the release of an environment was under compliance rules when it was judged last."""
    release = state.releases.get(environment)
    return release is not None and release.compliance


def _content(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, bytes]]:
    files = {path: text.encode() for path, text in project(state, events).items()}
    files[EVENTS] = b"".join(event.canonical() + b"\n" for event in events)
    yield from files.items()
    sums = (f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    yield MANIFEST, "".join(sums).encode()


def _write_once(folder: Path, files: dict[str, bytes]) -> None:
    """All of it or nothing: a record that is half there would never be finished."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".record."))
    try:
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o400)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
