"""A deployment: what runs in one environment for one module, and what ran before."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.model import Model, Moment


class Deployment(Model):
    """One trace's deployment into one environment."""

    environment: str
    release_id: str
    revision: str
    version: str
    status: Literal["waiting", "started", "completed", "rolling-back", "failed"]
    attempt: int = 1
    retries: int = 0
    rollback_allowed: bool = True
    strategy: str = "process"
    started_at: Moment | None = None
    ended_at: Moment | None = None
    url: str = ""
    rolled_back_to: str | None = None
    health: tuple[dict[str, Any], ...] = ()
    falls: int = 0
    """How often it died after it had been deployed well."""


class Slot(Model):
    """Read model of one module in one environment, over all traces: who holds it, who waits, what was last
    good.

    `holder_*` is set from DeploymentStarted to DeploymentCompleted or DeploymentFailed; one deployment at a
    time. A newer
    waiting release supersedes an older one. `last_known_good` is the `Target` that last passed its probes
    (JSON).
    """

    environment: str
    holder_trace: str | None = None
    holder_release: str | None = None
    waiting_trace: str | None = None
    waiting_release: str | None = None
    running_version: str | None = None
    running_revision: str | None = None
    running_since: Moment | None = None
    healthy: bool = False
    last_known_good: dict[str, Any] | None = None
    previous_good: dict[str, Any] | None = None
    rolled_back: tuple[str, ...] = Field(default=())
    """Release ids that were rolled back: automation does not deploy them again."""
