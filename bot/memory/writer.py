"""Puts the artefacts of a trace on disk: the performer of `WriteMemory`."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.domain.effect import Done, Effect, WriteMemory
from bot.domain.errors import Permanent, Retryable
from bot.domain.event import Event
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.memory import permanent
from bot.memory.layout import segment, trace_folder
from bot.memory.project import fold, project

EventsOf = Callable[[str, str], Sequence[Event]]
OWNER = ".tenant"


class MemoryWriter:
    """Writes under `<home>/memory/`. `events_of(tenant, trace)` reads the log."""

    def __init__(self, home: Path, events_of: EventsOf) -> None:
        self.home = home.absolute()
        self.events_of = events_of

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        if not isinstance(effect, WriteMemory):
            raise Permanent("UnknownEffect", f"{effect.kind} is no effect on memory.")
        try:
            return Done(id=effect_id, url=str(self.write(context.tenant_id, context.trace_id)))
        except OSError as error:
            raise Retryable(f"The artefacts could not be written: {error.strerror or error}.") from error

    def write(self, tenant_id: str, trace_id: str) -> Path:
        """Bring a trace's files up to date; those that are stay untouched. Returns its folder."""
        with _locked(self.home / "memory" / f".{trace_folder(trace_id)}.lock"):
            # Read under the lock: of two writers the later one has at least as many events.
            events = self.events_of(tenant_id, trace_id)
            folder = self._folder(tenant_id, trace_id)
            root = f"memory/{trace_folder(trace_id)}/"
            files = project(fold(tenant_id, trace_id, events), events)
            wanted = {folder / path.removeprefix(root): text.encode() for path, text in files.items()}
            for path, content in wanted.items():
                _replace(path, content)
            _remove_misplaced(folder, wanted.keys())
            place = self.home / permanent.ROOM / folder.relative_to(self.home / "memory")
            permanent.keep(place, tenant_id, trace_id, events)
            return folder

    def _folder(self, tenant_id: str, trace_id: str) -> Path:
        """Trace ids are a tenant's own: a second tenant with the same id gets another folder."""
        folder = self.home / "memory" / trace_folder(trace_id)
        owner = folder / OWNER
        if not owner.exists():
            _replace(owner, tenant_id.encode())
        if owner.read_text() == tenant_id:
            return folder
        return self.home / "memory" / f"tenant-{segment(tenant_id)}" / trace_folder(trace_id)


def _remove_misplaced(folder: Path, wanted: Collection[Path]) -> None:
    """A trace may learn its module late; what was written before lies in another folder."""
    for path in folder.glob("tenant-*/env-*/*/*"):
        if path not in wanted and path.is_file():
            path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
