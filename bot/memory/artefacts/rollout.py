"""`RolloutPlan.yaml`, `RollbackMap.yaml` per environment: the ways there and back (orchestrator)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.effect import Service
from bot.domain.event import Event
from bot.domain.release import namespace
from bot.domain.trace import TraceState
from bot.memory.artefacts.deployment import attempts_of
from bot.memory.layout import module_of, scoped
from bot.memory.text import as_yaml
from bot.memory.trail import environments, head, last, mapping, release_of, text, within

PLANNED = ("ReleaseApproved", "DeploymentStarted")
PROBES = ("startup", "readiness", "liveness", "startupTimeoutS", "probeTimeoutS", "successes")


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """The plan from the approval on, the map from the start on."""
    for environment in environments(events, *PLANNED):
        mine = within(events, environment)
        started = last(mine, "DeploymentStarted")
        yield scoped(state, environment, "RolloutPlan.yaml"), as_yaml(_plan(state, mine, environment))
        if started:
            text_ = as_yaml(_map(state, events, started, environment))
            yield scoped(state, environment, "RollbackMap.yaml"), text_


def _plan(state: TraceState, mine: Sequence[Event], environment: str) -> dict[str, Any]:
    about, started = last(mine, *PLANNED), last(mine, "DeploymentStarted")
    assert about is not None  # the caller asks for environments that have one
    data = started.data if started else {}
    service = _service(state)
    probes = {name: value for name, value in service.items() if name in PROBES}
    version = text(about.data.get("version")) or state.version
    return head(state, environment) | {
        "module": module_of(state),
        "releaseId": release_of(state, about),
        "version": version,
        "revision": text(about.data.get("revision")),
        "namespace": text(data.get("namespace")) or namespace(state.tenant_id, environment),
        "strategy": text(data.get("strategy")) or "as the policy says",
        "steps": _steps(version, service, data),
        "probes": probes,
        "retries": data.get("retries") or 0,
        "rollback": {
            "allowed": data.get("rollbackAllowed") is not False,
            "toVersion": data.get("previousVersion"),
        },
    }


def _service(state: TraceState) -> dict[str, Any]:
    """As submitted, with the defaults of the domain filled in."""
    said = mapping(state.module.get("service"))
    defaults = Service(command=()).to_json()
    return defaults | {name: value for name, value in said.items() if name in defaults}


def _steps(version: str, service: dict[str, Any], data: dict[str, Any]) -> list[str]:
    previous, retries = text(data.get("previousVersion")), data.get("retries") or 0
    back = f"roll back to {previous}" if previous else "stop it"
    return [
        f"export the files of {version}",
        f"stop {previous}" if previous else "nothing runs yet",
        f"start {version}",
        f"probe {service['startup']} until it is good",
        f"probe {service['readiness']} and {service['liveness']}, {service['successes']} times in a row",
        f"on failure try {retries} more times, then {back}",
    ]


def _map(state: TraceState, events: Sequence[Event], started: Event, environment: str) -> dict[str, Any]:
    data = started.data
    deployed = state.deployments.get(environment)
    version, previous = text(data.get("version")), data.get("previousVersion")
    good = version if deployed and deployed.status == "completed" else previous
    tries = len(attempts_of(events, environment, started))
    return {
        "module": module_of(state),
        "previousVersion": previous,
        "currentAttempt": version,
        "lastKnownGood": good,
        "strategy": text(data.get("strategy")),
        "retryCount": max(0, tries - 1),
        "rollbackAllowed": data.get("rollbackAllowed") is not False,
        "retriesAllowed": data.get("retries") or 0,
        "rolledBackTo": deployed.rolled_back_to if deployed else None,
        "status": deployed.status if deployed else "started",
        "releaseId": release_of(state, started),
        **head(state, environment),
    }
