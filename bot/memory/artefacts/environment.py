"""`EnvironmentConfig.yaml` and `DNSBindings.yaml` per environment (Cloud Provisioner)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.release import namespace
from bot.domain.trace import TraceState
from bot.memory.layout import module_of, scoped
from bot.memory.text import as_yaml
from bot.memory.trail import environments, head, items, last, mapping, moment, text, within

REFERENCE = "@vault:"


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Two files per environment that was provisioned."""
    for environment in environments(events, "InfraProvisioned"):
        ready = last(within(events, environment), "InfraProvisioned")
        assert ready is not None
        common = head(state, environment) | {
            "module": module_of(state),
            "namespace": text(ready.data.get("namespace")) or namespace(state.tenant_id, environment),
        }
        yield (
            scoped(state, environment, "EnvironmentConfig.yaml"),
            as_yaml(common | _config(state, ready, environment)),
        )
        bindings = common | {"bindings": [mapping(binding) for binding in items(ready.data.get("dns"))]}
        yield scoped(state, environment, "DNSBindings.yaml"), as_yaml(bindings)


def _config(state: TraceState, ready: Event, environment: str) -> dict[str, Any]:
    secrets = mapping(ready.data.get("secrets"))
    return {
        "env": environment,
        "projectId": ready.project_id,
        "editionId": ready.edition_id,
        "agentId": ready.agent_id or "cloud-provisioner",
        "endpoint": text(ready.data.get("endpoint")),
        "resources": [mapping(resource) for resource in items(ready.data.get("resources"))],
        # Whoever provisioned, a value that is no reference does not get into a file.
        "secrets": {name: value for name, value in secrets.items() if text(value).startswith(REFERENCE)},
        "variables": {
            "APP_MODULE_ID": module_of(state),
            "APP_ENVIRONMENT": environment,
            "APP_NAMESPACE": text(ready.data.get("namespace")),
        },
        "provisionedAt": moment(ready),
        "eventId": ready.id,
    }
