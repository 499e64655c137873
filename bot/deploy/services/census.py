"""All services of a home: what runs, what should, and an end to all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bot.deploy.services import halt, records
from bot.deploy.services.places import Place
from bot.deploy.services.records import ServiceRecord
from bot.deploy.services.run import end
from bot.domain.model import Model


class ServiceStatus(Model):
    """One service of a home. `crashed`: it should run and does not."""

    namespace: str
    environment: str
    module_id: str
    release_id: str
    version: str
    revision: str
    url: str
    pid: int
    state: Literal["running", "crashed"]
    healthy: bool
    """Whether it passed its last complete probing and still runs."""
    started_at: str
    log: str


def _places(home: Path) -> list[Place]:
    found = sorted((home.absolute() / "environments").glob("*/*/service.json"))
    return [Place(home.absolute(), path.parent.parent.name, path.parent.name) for path in found]


def _status(record: ServiceRecord) -> ServiceStatus:
    running = records.alive(record)
    same = {
        name: getattr(record, name) for name in ServiceStatus.model_fields if name not in {"state", "healthy"}
    }
    return ServiceStatus(
        **same, state="running" if running else "crashed", healthy=running and record.healthy is True
    )


def status(home: Path) -> list[ServiceStatus]:
    """Every service that was started under a home and not stopped, as it is now."""
    return [_status(record) for record in map(records.read, _places(home)) if record is not None]


def fallen(home: Path) -> list[ServiceRecord]:
    """Services that had passed their probes and run no longer, though nobody stopped them."""
    known = (records.read(place) for place in _places(home))
    return [r for r in known if r is not None and r.healthy is True and not records.alive(r)]


def stop_all(home: Path, grace_s: float = halt.GRACE_S) -> int:
    """Stop every service of a home; how many of them ran."""
    stopped = 0
    for place in _places(home):
        with place.lock():
            record = records.read(place)
            stopped += bool(record is not None and end(place, record, grace_s))
    return stopped
