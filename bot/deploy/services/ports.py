"""Namespaces and ports: whose a namespace is, and the one port a module keeps in it."""

from __future__ import annotations

import socket
from typing import Any

from bot.deploy.port import Scope
from bot.deploy.services.places import Place, read_json, write_json
from bot.domain.errors import Permanent

HOST = "127.0.0.1"


def url(port: int) -> str:
    """Where a service with that port is reached."""
    return f"http://{HOST}:{port}"


def claim(place: Place, scope: Scope, strategy: str, edition_id: str | None = None) -> dict[str, Any]:
    """The place's configuration, made when missing. Raises Permanent('InvalidNamespaceAccess')."""
    with place.ground_lock():
        _own(place, scope)
        config = read_json(place.config) or {"port": _allocate(place)}
        wanted = config | {
            "tenantId": scope.tenant_id,
            "environment": scope.environment,
            "namespace": place.namespace,
            "moduleId": place.module_id,
            "strategy": strategy,
            "editionId": edition_id or config.get("editionId"),
        }
        if wanted != read_json(place.config):
            write_json(place.config, wanted)
        return wanted


def _own(place: Place, scope: Scope) -> None:
    # `a-b` + `c` and `a` + `b-c` make the same name; the first tenant keeps it.
    owner = {"tenantId": scope.tenant_id, "environment": scope.environment}
    found = read_json(place.owner)
    if found is not None and found != owner:
        raise Permanent(
            "InvalidNamespaceAccess",
            f"The namespace {place.namespace} belongs to another tenant's environment.",
        )
    if found is None:
        write_json(place.owner, owner)


def usable(place: Place, config: dict[str, Any]) -> tuple[int, int | None]:
    """The port to start on; when a stranger has ours, another one (kept from now on) and ours."""
    if free(config["port"]):
        return config["port"], None
    with place.ground_lock():
        port = _allocate(place)
        write_json(place.config, config | {"port": port})
    return port, config["port"]


def free(port: int) -> bool:
    """Whether nobody listens there. Connections that are still closing do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _allocate(place: Place) -> int:
    configs = (read_json(path) or {} for path in place.environments.glob("*/*/config.json"))
    taken = {config.get("port") for config in configs}
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
