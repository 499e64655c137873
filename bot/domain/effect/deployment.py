"""Effects on what runs: environments and the releases in them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bot.domain.effect.common import Effect
from bot.domain.model import Model


class Provision(Effect):
    """Make the namespace `{tenantId}-{environment}` and its configuration for a module. Result:
    `EnvironmentConfig`.
    """

    kind: ClassVar[str] = "Provision"
    target: str = "deploy"
    environment: str
    namespace: str
    module_id: str
    strategy: str = "process"
    edition_id: str | None = None


class Service(Model):
    """How a built service is started and probed. Command words are not interpreted by a shell."""

    command: tuple[str, ...]
    port_variable: str = "PORT"
    environment: dict[str, str] = Field(default_factory=dict)
    startup: str = "/startupz"
    readiness: str = "/readyz"
    liveness: str = "/livez"
    startup_timeout_s: float = 10.0
    probe_timeout_s: float = 1.0
    successes: int = 2
    """Consecutive good answers of readiness and liveness that count as healthy."""


class Target(Model):
    """What to run where: a revision of a module in an environment's namespace."""

    environment: str
    namespace: str
    module_id: str
    release_id: str
    version: str
    revision: str
    repository: str
    forge: str = "local"
    path: str = ""
    """Folder of the module inside the repository."""
    service: Service


class ApplyRelease(Effect):
    """Make `release` the running one and probe it. An unhealthy service is a result, not a failure."""

    kind: ClassVar[str] = "ApplyRelease"
    target: str = "deploy"
    strategy: str = "process"
    release: Target
    attempt: int = 1


class UndoRelease(Effect):
    """Go back to `release` (the last known good), or stop what runs when there is none."""

    kind: ClassVar[str] = "UndoRelease"
    target: str = "deploy"
    strategy: str = "process"
    release: Target | None
    failed: Target
