"""Where a deployed module lives on disk.

Under `<home>/environments/<namespace>/`: `namespace.json` says whose it is, and each module has a folder with
`config.json` (its port), `traces.json` (which trace brought which release), `service.json` (what runs, see
records.py), `ended.json` (how the last one ended), `releases/<version>-<sha12>/` and `log/`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.errors import Permanent, Retryable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
"""One folder name: no separator, no leading dot."""
LOCK_WAIT_S = 60.0
LOCK_POLL_S = 0.05


def checked(name: str, what: str) -> str:
    """`name`, when it can be a folder. Raises Permanent('InvalidName')."""
    if not NAME.fullmatch(name):
        raise Permanent("InvalidName", f"{name!r} can not be used as the name of a {what}.")
    return name


@contextmanager
def locked(path: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold `path`; the kernel lets go when the holder dies. Raises Retryable after `wait_s`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor, path, time.monotonic() + wait_s)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Retryable(f"Another deployment is at work on {path.parent.name}.") from error
            time.sleep(LOCK_POLL_S)
        else:
            return


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Replace a file at once, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        json.dump(data, file, indent=2, sort_keys=True)
    Path(name).replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The file's object; None when it is missing or not JSON (a record nobody can read is no record)."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class Place:
    """One module in one namespace."""

    home: Path
    namespace: str
    module_id: str

    def __post_init__(self) -> None:
        checked(self.namespace, "namespace")
        checked(self.module_id, "module")

    @property
    def environments(self) -> Path:
        return self.home / "environments"

    @property
    def folder(self) -> Path:
        return self.environments / self.namespace / self.module_id

    @property
    def owner(self) -> Path:
        return self.environments / self.namespace / "namespace.json"

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def record(self) -> Path:
        return self.folder / "service.json"

    @property
    def ending(self) -> Path:
        return self.folder / "ended.json"

    @property
    def traces(self) -> Path:
        return self.folder / "traces.json"

    @property
    def releases(self) -> Path:
        return self.folder / "releases"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    def lock(self) -> Any:
        """One deployment of a module at a time."""
        return locked(self.folder / ".lock")

    def ground_lock(self) -> Any:
        """One allocation of ports and namespaces at a time."""
        return locked(self.environments / ".lock")
