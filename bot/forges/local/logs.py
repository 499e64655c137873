"""The logs that jobs left in the forge's home."""

from __future__ import annotations

from bot.forges.local.ground import Ground
from bot.forges.local.tables import ForgeJob


def text(ground: Ground, job: ForgeJob, *, last: int | None = None) -> str:
    """What a job printed, or the `last` bytes of it; empty when it did not run."""
    if not job.log:
        return ""
    path = ground.settings.home / job.log
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        if last is not None and path.stat().st_size > last:
            log.seek(-last, 2)
            log.readline()  # half a line says nothing
        return log.read().decode(errors="replace")
