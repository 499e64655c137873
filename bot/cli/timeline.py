"""A trace as text: what stands where, who can help, then what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.cli.output import clean, count
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState
from bot.studio.blockers import blockers
from bot.studio.headline import ordered
from bot.studio.sentences import told

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {"good": ("✓", "green"), "bad": ("✗", "red"), "wait": ("…", "yellow"), "info": ("·", "dim")}
STATES = {"approved": "green", "completed": "green", "delayed": "yellow", "rejected": "red", "failed": "red"}


def print_trace(out: Console, state: TraceState, events: Sequence[Event]) -> None:
    """State first, then every event on a line of its own."""
    from rich.text import Text

    print_state(out, state)
    out.print()
    for event in events:
        line = told(event)
        mark, style = MARKS[line.tone]
        who = " ".join(part for part in (line.agent, f"by {line.actor}" if line.actor else "") if part)
        said = Text.assemble(
            (f"{event.sequence:>4} ", "dim"),
            (f"{rfc3339(event.time)} ", "dim"),
            (f"{mark} ", style),
            clean(line.text),
        )
        if line.reason:
            said.append(clean(f" - {line.reason}"))
        if who:
            said.append(clean(f"  [{who}]"), style="dim")
        out.print(said)


def print_state(out: Console, state: TraceState) -> None:
    """Where the trace stands, one line per environment, with what is missing and who can help."""
    from rich.text import Text

    module = f"{state.module_id} {state.version}".strip() or state.repository
    out.print(
        Text(
            clean(
                f"Trace {state.trace_id}: {module}, step {state.flow.state or 'not begun'}, "
                f"{count(state.sequence, 'event')}"
            )
        )
    )
    for name in [name for name in ordered(state) if name in state.releases]:
        release = state.releases[name]
        out.print(
            Text.assemble(clean(f"  {name}: "), (release.shown_state, STATES.get(release.shown_state, "")))
        )
        for found in blockers(release.tree):
            out.print(Text(clean(f"    {found.sentence}")))
    for name, deployment in state.deployments.items():
        where = f" at {deployment.url}" if deployment.url else ""
        out.print(Text(clean(f"  {name} deployment of {deployment.version}: {deployment.status}{where}")))
    for said in state.escalations[-3:]:
        out.print(Text(clean(f"  needs {said.get('role', 'a person')}: {_message(said)}"), style="red"))


def _message(said: dict[str, Any]) -> str:
    return str(said.get("message", ""))
