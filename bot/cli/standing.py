"""Where a trace stands for whoever waits for it: still moving, released, blocked by policy, or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.cli.failure import Code
from bot.domain.trace import TraceState
from bot.studio.headline import waiting

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Standing:
    """`settled`: nothing more will happen by itself soon."""

    name: str
    settled: bool
    code: Code = Code.OK


MOVING = Standing("moving", settled=False)
RELEASED = Standing("released", settled=True)
BLOCKED = Standing("blocked", settled=True, code=Code.BLOCKED)
FAILED = Standing("failed", settled=True, code=Code.FAILED)


def standing(document: dict[str, Any]) -> Standing:
    """Of a trace's state as JSON."""
    state = TraceState.model_validate(document)
    if state.published:
        return RELEASED
    if any(one.status in {"started", "rolling-back"} for one in state.deployments.values()):
        return MOVING
    if state.escalations or any(one.status == "failed" for one in state.deployments.values()):
        return FAILED
    tested = bool(state.head) and state.head in state.tests
    blocked = [name for name in waiting(state) if state.releases[name].shown_state in {"delayed", "rejected"}]
    return BLOCKED if tested and blocked else MOVING


def shown(out: Console, document: dict[str, Any]) -> None:
    """The state as text."""
    from bot.cli.timeline import print_state

    print_state(out, TraceState.model_validate(document))
