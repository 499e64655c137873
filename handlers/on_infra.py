"""What was provisioned is told to the forge: its environment says where things are."""

from __future__ import annotations

import re

from bot.domain import payloads as p
from bot.domain.catalog import read
from bot.domain.decision import NOTHING, Decision, do
from bot.domain.effect import PrepareEnvironment
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.domain.view import View
from handlers.cloud_provisioner import AGENT
from handlers.declare import on


@on("InfraProvisioned")
def tell_forge(event: Event, view: View) -> Decision:
    """Namespace and endpoint; secrets stay where they are."""
    state, ready = view.state, read(event, p.InfraProvisioned)
    if not state.repository:
        return NOTHING
    return do(
        PrepareEnvironment(
            target=state.forge,
            repository=state.repository,
            purpose="environment",
            agent_id=AGENT,
            environment=ready.environment,
            variables=variables(state, ready),
        )
    )


def variables(state: TraceState, ready: p.InfraProvisioned) -> dict[str, str]:
    """The namespace is the environment's; the endpoint is the module's, and named after it where the
    repository has several.
    """
    module = re.sub(r"\W", "_", state.module_id).upper()
    named = f"POINTSMAN_ENDPOINT_{module}" if state.module.get("path") else "POINTSMAN_ENDPOINT"
    said = {"POINTSMAN_NAMESPACE": ready.namespace, named: ready.endpoint}
    return {name: value for name, value in said.items() if value}
