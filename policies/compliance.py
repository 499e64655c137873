"""Compliance mode (seed 003): what regulated releases must show, whatever else a policy asks.

It is on where one of these says so: `regulated: true` of the policy or of a tenant (the pack `compliance`
says it), `compliance: true` of an environment, `complianceMode: true` of what was submitted. Nothing
switches it off: what the pack `compliance` asks of every environment is then asked as well.
"""

from __future__ import annotations

from functools import cache

from policies.facts import ReleaseFacts
from policies.layers import EVERY, pack
from policies.model import GateItem, Item, Policy

OWN_WORD = frozenset({"target-branch", "commit-message"})
"""Gates whose fields are a choice of the house, not a measure of strictness: a policy's own is enough."""


def applies(policy: Policy, facts: ReleaseFacts) -> bool:
    """Whether a release is under compliance rules."""
    return facts.compliance_mode or policy.complies(facts.environment)


@cache
def required() -> tuple[Item, ...]:
    """The gates of compliance mode: those of the pack."""
    gates = pack("compliance")["environments"][EVERY]["gates"]
    return tuple(GateItem.model_validate(gate) for gate in gates)


def more(written: tuple[Item, ...]) -> tuple[Item, ...]:
    """What compliance asks beside the gates that are written. One that is written weaker does not help."""
    always = [item.gate for item in written if item.when is None]
    own = {gate.name for gate in always if gate.name in OWN_WORD}
    return tuple(item for item in required() if item.gate not in always and item.gate.name not in own)
