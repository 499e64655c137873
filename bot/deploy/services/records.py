"""What runs in a place, as `service.json` says, and whether it still does."""

from __future__ import annotations

from pydantic import ValidationError

from bot.deploy.services import keeper
from bot.deploy.services.places import Place, read_json, write_json
from bot.domain.model import Model


class ServiceRecord(Model):
    """One started service. `started` tells its process from a later one with the same number."""

    instance: str
    release_id: str
    trace_id: str
    environment: str
    namespace: str
    module_id: str
    version: str
    revision: str
    url: str
    port: int
    argv: tuple[str, ...]
    log: str
    started_at: str
    pid: int = 0
    started: str = ""
    healthy: bool | None = None
    """What the last complete probing found; None while there was none."""
    startup_time_ms: float = 0.0
    restarts: int = 0


def read(place: Place) -> ServiceRecord | None:
    """The record of a place; None when there is none that can be read."""
    found = read_json(place.record)
    try:
        return ServiceRecord.model_validate(found) if found else None
    except ValidationError:
        return None


def write(place: Place, record: ServiceRecord) -> None:
    """Replace the record of a place."""
    write_json(place.record, record.to_json())


def forget(place: Place) -> None:
    """Nothing runs here by our doing."""
    place.record.unlink(missing_ok=True)
    place.ending.unlink(missing_ok=True)


def remember_trace(place: Place, release_id: str, trace_id: str) -> None:
    """The trace that brought a release here: it stays that trace's when a rollback starts it again."""
    known = read_json(place.traces) or {}
    if known.get(release_id) != trace_id:
        write_json(place.traces, known | {release_id: trace_id})


def trace_of(place: Place, release_id: str) -> str | None:
    """The trace that brought a release here, when it is known."""
    found = (read_json(place.traces) or {}).get(release_id)
    return found if isinstance(found, str) else None


def alive(record: ServiceRecord | None) -> bool:
    """Whether the very process of the record runs: same number, same start time, and no zombie."""
    if record is None or record.pid <= 0:
        return False
    found = keeper.process_start(record.pid)
    return found is not None and found[0] not in "ZX" and found[1] == record.started
