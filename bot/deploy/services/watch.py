"""Looks after what was deployed: a service that fell is told to its trace, once, and the trace decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.deploy.services import census
from bot.domain.event import Draft


@dataclass(frozen=True)
class Observation:
    """A fact about the outside that nobody sent. `name` is the same for the same fact."""

    tenant: str
    trace_id: str
    name: str
    draft: Draft


def fallen_services(home: Path) -> Iterator[Observation]:
    """One observation for each service that has died since its deployment."""
    for record in census.fallen(home):
        said = Draft(
            type="TriggerRequested",
            environment=record.environment,
            release_id=record.release_id,
            data={
                "reason": "service-down",
                "environment": record.environment,
                "releaseId": record.release_id,
                "pid": record.pid,
            },
        )
        tenant = record.namespace.removesuffix(f"-{record.environment}")
        yield Observation(tenant, record.trace_id, f"service-down-{record.instance}", said)
