"""The sentences of a process deployment."""

from __future__ import annotations

import signal

from bot.deploy.services.records import ServiceRecord
from bot.domain.effect import Target


def healthy(target: Target, url: str) -> str:
    """The good end."""
    return f"{target.module_id} {target.version} answers on {url}."


def not_running(target: Target) -> str:
    """Asked to probe what is not there."""
    return f"{target.module_id} {target.version} does not run in {target.environment}."


def stopped(failed: Target) -> str:
    """Undone, with nothing to go back to."""
    gone = f"{failed.module_id} {failed.version} is stopped in {failed.environment}"
    return f"{gone}; no earlier release is known to be good."


def cannot_start(target: Target, error: str) -> str:
    """The command could not be run."""
    return f"{target.service.command[0]} could not be started: {error}."


def crashed(times: int, status: int | None) -> str:
    """It ended by itself. `status` is its exit status, negative for a signal."""
    ended = f"Crash loop: the service ended {times} times while it was probed"
    if status is None:
        return f"{ended}."
    how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
    return f"{ended}, the last time with {how}."


def moved(taken: int, port: int) -> str:
    """Its remembered port was not free."""
    return f"Port {taken} is taken by another process; the service has port {port} now."


def plan_probe(target: Target, url: str) -> str:
    """The plan when the release runs."""
    return f"{target.module_id} {target.version} runs already on {url}: probe it."


def plan_recreate(target: Target, running: ServiceRecord | None, *, exported: bool) -> tuple[str, ...]:
    """The plan when it does not."""
    short = f"{target.repository} at {target.revision[:12]}"
    files = f"Use the files of {short} that are there." if exported else f"Export {short}."
    stop = (f"Stop {running.module_id} {running.version} (process {running.pid}).",) if running else ()
    service = target.service
    probing = (
        f"Probe {service.startup} for up to {service.startup_timeout_s:g} s, then {service.readiness}"
        f" and {service.liveness} until both were good {service.successes} times in a row."
    )
    return (files, *stop, f"Start {' '.join(service.command)} in {target.namespace}.", probing)
