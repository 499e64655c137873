"""One module's service in one place: adopt, start, restart, end it. The caller holds its lock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import log_text
from bot.deploy.services import halt, launch, logs, ports, reasons, records
from bot.deploy.services.launch import CannotStart, Start
from bot.deploy.services.places import Place, read_json
from bot.deploy.services.probes import Seen, Watch
from bot.deploy.services.records import ServiceRecord
from bot.domain.effect import Health, Target

MAX_RESTARTS = 2
"""How often a service that ends while it is probed is started again; then it is a crash loop."""
ENDING_S = 1.0


@dataclass(frozen=True)
class Run:
    """What is to run, for which trace, with which settings. `hidden` are the secrets among the settings."""

    place: Place
    target: Target
    trace_id: str
    settings: dict[str, str]
    hidden: tuple[str, ...] = ()
    grace_s: float = halt.GRACE_S

    def adopt(self, running: ServiceRecord) -> Health | None:
        """How the release does that runs already; None when it is gone or no longer good."""
        if not records.alive(running):
            return None
        seen = self._watch(running).run()
        if seen.state != "healthy":
            return None
        startup = running.startup_time_ms or seen.startup_time_ms
        kept = running.model_copy(update={"healthy": True, "startup_time_ms": startup})
        records.write(self.place, kept)
        return self.health(kept, seen)

    def recreate(self, folder: Path, claimed: dict[str, Any]) -> Health:
        """End what runs, start the target from `folder`, probe it. `claimed` is the place's configuration."""
        old = records.read(self.place)
        if old is not None:
            end(self.place, old, self.grace_s)
        port, taken = ports.usable(self.place, claimed)
        start = Start(
            target=self.target, cwd=folder, port=port, trace_id=self.trace_id, settings=self.settings
        )
        health = self._start(start)
        if taken is None:
            return health
        return health.model_copy(update={"reason": f"{health.reason} {reasons.moved(taken, port)}"})

    def look(self, running: ServiceRecord) -> Health:
        """Every probe one time."""
        return self.health(running, self._watch(running).once())

    def _start(self, start: Start) -> Health:
        """Start and probe; a service that ends meanwhile is started again, MAX_RESTARTS times."""
        for restarts in range(MAX_RESTARTS + 1):
            began = time.monotonic()
            try:
                record = launch.launch(self.place, start)
            except CannotStart as error:
                said = reasons.cannot_start(self.target, str(error))
                return Health(healthy=False, reason=log_text.mask(said, self.hidden))
            seen = self._watch(record).run(began)
            record = record.model_copy(update={"restarts": restarts, "startup_time_ms": seen.startup_time_ms})
            if seen.state != "crashed":
                record = record.model_copy(update={"healthy": seen.state == "healthy"})
                records.write(self.place, record)
                break
            seen = Seen(
                "crashed", seen.probes, reason=reasons.crashed(restarts + 1, _status(self.place, record))
            )
            halt.sweep(record)
            records.forget(self.place)
        return self.health(record, seen)

    def _watch(self, record: ServiceRecord) -> Watch:
        return Watch(self.target.service, record.url, lambda: records.alive(record))

    def health(self, record: ServiceRecord, seen: Seen) -> Health:
        """The effect's result: complete, and fit to be shown."""
        healthy = seen.state == "healthy"
        probes = (p.model_copy(update={"detail": log_text.mask(p.detail, self.hidden)}) for p in seen.probes)
        reason = (
            reasons.healthy(self.target, record.url) if healthy else log_text.mask(seen.reason, self.hidden)
        )
        return Health(
            healthy=healthy,
            url=record.url,
            pid=None if seen.state == "crashed" else record.pid,
            health_status=tuple(probes),
            startup_time_ms=record.startup_time_ms,
            restarts=record.restarts,
            reason=reason,
            log_tail=logs.tail(Path(record.log), self.hidden),
        )


def _status(place: Place, record: ServiceRecord) -> int | None:
    """Exit status as its keeper noted it (negative: the signal); None when there is no note."""
    until = time.monotonic() + ENDING_S
    while time.monotonic() < until:
        ending = read_json(place.ending)
        if ending is not None and ending.get("instance") == record.instance:
            return int(ending["status"])
        time.sleep(halt.POLL_S)
    return None


def end(place: Place, record: ServiceRecord, grace_s: float) -> bool:
    """Stop what the record names and forget it. False when it did not run any more."""
    stopped = halt.stop(record, grace_s)
    records.forget(place)
    return stopped
