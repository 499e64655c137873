"""What a flow's `when` may ask about a trace: one boolean field here is one word of the language."""

from __future__ import annotations

from bot.domain.model import Model
from bot.domain.trace import TraceState


class Facts(Model):
    """Who an invocation is for, and the conditions of `when` (`submitted`, `not submitted`, ...)."""

    tenant_id: str
    trace_id: str
    module_id: str = ""
    submitted: bool = False
    """A module was submitted. Else a person's change was adopted, and its pipeline is the person's own."""
    needs_infrastructure: bool = False
    """The module wants an environment provisioned before it is delivered."""
    compliance_mode: bool = False
    """The module is delivered under compliance rules."""


CONDITIONS: dict[str, str] = {
    field.alias or name: name for name, field in Facts.model_fields.items() if field.annotation is bool
}


def facts_of(state: TraceState) -> Facts:
    """The facts of a trace. For an adopted change (no module was submitted) nothing is provisioned."""
    module = state.module
    return Facts(
        tenant_id=state.tenant_id,
        trace_id=state.trace_id,
        module_id=state.module_id,
        submitted=bool(module),
        needs_infrastructure=bool(module) and bool(module.get("needsInfrastructure", True)),
        compliance_mode=bool(module.get("complianceMode", False)),
    )


def holds(condition: str | None, facts: Facts) -> bool:
    """Whether a `when` is true; no condition always is."""
    if condition is None:
        return True
    negated = condition.startswith("not ")
    value: bool = getattr(facts, CONDITIONS[condition.removeprefix("not ")])
    return value is not negated
