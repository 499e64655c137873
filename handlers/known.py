"""Which names people may use here for which commands: ours, their second names, and the policy's aliases."""

from __future__ import annotations

from bot.domain.invocation import Invocation, read_line
from bot.domain.trace import TraceState
from handlers.declare import REGISTRY
from handlers.policy import policy_of


def aliases_of(state: TraceState) -> dict[str, str]:
    """Alias -> what it stands for, without the slash; empty when the policy is unknown or broken."""
    policy = policy_of(state)
    return dict(policy.commands.aliases) if policy else {}


def names(state: TraceState) -> list[str]:
    """Everything that one may begin a command with."""
    return [*REGISTRY.commands, *REGISTRY.second_names, *aliases_of(state)]


def meant(said: Invocation, state: TraceState) -> Invocation:
    """The invocation in our own words; unchanged when the name is no other name of ours."""
    ours = REGISTRY.second_names.get(said.name)
    if ours is None and said.name not in REGISTRY.commands:
        ours = aliases_of(state).get(said.name)
    if ours is None:
        return said
    rest = said.line[len(said.name) + 1 :]
    return read_line(f"/{ours}{rest}")
