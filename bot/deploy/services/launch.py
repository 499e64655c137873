"""Starting a service: detached, with an environment of its own, recorded before anybody waits for it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.deploy.services import halt, keeper, logs, ports
from bot.deploy.services.places import Place
from bot.deploy.services.records import ServiceRecord, read
from bot.domain.effect import Target
from bot.domain.errors import Retryable
from bot.domain.model import rfc3339

LOG_CAP = 1024 * 1024
"""Bytes of one log file; there are at most two per start."""
KEEPER_S = 20.0


class CannotStart(Exception):
    """The command can not be run at all: no such program, not executable."""


@dataclass(frozen=True)
class Start:
    """One start of a target: where, on which port, for which trace, with which settings (no references)."""

    target: Target
    cwd: Path
    port: int
    trace_id: str
    settings: dict[str, str]
    log_cap: int = LOG_CAP


def search_path() -> str:
    """Our own interpreter's folder first, so that `python3` is the one that runs us."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def environment(start: Start, instance: str) -> dict[str, str]:
    """Everything the service sees. Only PATH is inherited; settings can not replace who it is."""
    target = start.target
    return {
        "PATH": search_path(),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # the release folder stays as it was exported
        **start.settings,
        "APP_TRACE_ID": start.trace_id,
        "APP_MODULE_ID": target.module_id,
        "APP_VERSION": target.version,
        "APP_ENVIRONMENT": target.environment,
        "APP_NAMESPACE": target.namespace,
        "APP_RELEASE_ID": target.release_id,
        halt.MARK: instance,
        target.service.port_variable: str(start.port),
    }


def launch(place: Place, start: Start) -> ServiceRecord:
    """Start it and return its record. Raises CannotStart, or Retryable when the keeper gives no answer."""
    target = start.target
    instance = f"{time.time_ns()}-{secrets.token_hex(4)}"
    log = place.logs / f"{instance}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    record = ServiceRecord(
        instance=instance,
        release_id=target.release_id,
        trace_id=start.trace_id,
        environment=target.environment,
        namespace=target.namespace,
        module_id=target.module_id,
        version=target.version,
        revision=target.revision,
        url=ports.url(start.port),
        port=start.port,
        argv=target.service.command,
        log=str(log),
        started_at=rfc3339(datetime.now(UTC)),
    )
    order = {
        "argv": list(target.service.command),
        "cwd": str(start.cwd),
        "env": environment(start, instance),
        "record": record.to_json(),
        "recordPath": str(place.record),
        "endingPath": str(place.ending),
        "log": str(log),
        "logCap": start.log_cap,
    }
    logs.prune(place.logs)
    said = _order(order)
    if "error" in said:
        raise CannotStart(str(said["error"]))
    found = read(place)
    if found is None or found.instance != instance:
        raise Retryable(f"The record of {target.module_id} could not be written.")
    return found


def _order(order: dict[str, object]) -> dict[str, object]:
    # The order goes through a pipe: arguments can be read by anyone on the machine.
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(keeper.__file__)],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            env={"PATH": search_path()},
            cwd="/",
            start_new_session=True,
            timeout=KEEPER_S,
            check=False,
        )
        said = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise Retryable("The service's keeper did not answer.") from error
    return dict(said)
