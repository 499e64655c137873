"""What the pages show: plain data made from a trace's state and events. Pure; templates lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.deployment import Deployment, Slot
from bot.domain.event import Event
from bot.domain.model import rfc3339
from bot.domain.trace import TraceState
from bot.studio.blockers import Blocker, blockers
from bot.studio.headline import headline, ordered, title, waiting
from bot.studio.sentences import Line, Tone, told, web

SAY = {"approvals": "approve-release", "freeze": "override-freeze", "tests-passed": "retry"}
"""Gate -> the command that moves it."""
NOW = {
    "approved": "ready",
    "delayed": "waits",
    "rejected": "blocked",
    "skipped": "skipped",
    "none": "not evaluated",
}
DEPLOYED = {
    "waiting": "queued", "started": "deploying", "completed": "running", "rolling-back": "rolling back",
    "failed": "failed",
}  # fmt: skip
TONES: dict[str, Tone] = {
    "approved": "good", "completed": "good", "running": "good", "ready": "good", "delayed": "wait",
    "waits": "wait", "queued": "wait", "rejected": "bad", "blocked": "bad", "failed": "bad",
    "rolling back": "bad",
}  # fmt: skip
MARKS = {"good": "✓", "bad": "✗", "wait": "●", "info": "·"}


@dataclass(frozen=True)
class Step:
    """One open gate, and what to say to move it."""

    blocker: Blocker
    command: str


@dataclass(frozen=True)
class Environment:
    """One environment of a trace. `running` says what runs there now, whoever deployed it."""

    name: str
    state: str
    running: str
    url: str
    steps: tuple[Step, ...]
    tree: Mapping[str, Any] | None


@dataclass(frozen=True)
class Entry:
    """One line of the timeline. `day` is said where another one begins."""

    line: Line
    at: str
    day: str
    sequence: int
    type: str


@dataclass(frozen=True)
class Row:
    """One trace of the list."""

    trace_id: str
    title: str
    headline: str
    tone: Tone
    environments: tuple[tuple[str, str], ...]
    repository: str
    updated_at: str


def tone(state: str) -> Tone:
    """The weight of a state's word."""
    return TONES.get(state, "info")


def row(state: TraceState) -> Row:
    """A trace in the list."""
    said = headline(state)
    names = tuple((one.name, one.state) for one in environments(state, {}))
    moved = rfc3339(state.updated_at) if state.updated_at else ""
    return Row(state.trace_id, title(state), said.text, said.tone, names, state.repository, moved)


def entries(events: Sequence[Event]) -> list[Entry]:
    """The timeline, the newest first.

    A day is named at its first line, and at the first that is always shown.
    """
    made: list[Entry] = []
    named: set[tuple[str, bool]] = set()
    for event in reversed(events):
        line, at = told(event), rfc3339(event.time)
        key = (at[:10], line.minor)
        day = "" if key in named else f"{event.time:%a} {at[:10]}"
        named.add(key)
        made.append(Entry(line, at, day, event.sequence, event.type))
    return made


def held_up(state: TraceState) -> bool:
    """Whether a person or a moment is missing."""
    open_ones = [] if state.published else waiting(state)
    return any(state.releases[name].shown_state in {"delayed", "rejected"} for name in open_ones)


def environments(state: TraceState, slots: Mapping[str, Slot]) -> list[Environment]:
    """Every environment that was evaluated or deployed to, in the policy's order."""
    open_ones = set(waiting(state))
    return [
        _environment(state, name, slots.get(name), evaluated=name in open_ones) for name in ordered(state)
    ]


def _environment(state: TraceState, name: str, slot: Slot | None, *, evaluated: bool) -> Environment:
    release = state.releases.get(name)
    deployment = state.deployments.get(name)
    if deployment is not None and not evaluated:
        word, tree = DEPLOYED[deployment.status], None
    else:
        word, tree = NOW[release.shown_state if release else "none"], release.tree if release else None
    steps = tuple(Step(found, _command(found, name)) for found in blockers(tree or {}))
    url = web(deployment.url) if deployment else ""
    return Environment(name, word, _running(deployment, slot), url, steps, tree or None)


def _running(deployment: Deployment | None, slot: Slot | None) -> str:
    said = []
    if deployment is not None and deployment.status == "failed":
        said.append(f"{deployment.version} failed.")
    if slot is not None and slot.running_version:
        healthy = "healthy" if slot.healthy else "not healthy"
        since = (
            f", since {rfc3339(slot.running_since)[:16].replace('T', ' ')} UTC" if slot.running_since else ""
        )
        said.append(f"{slot.running_version} runs there, {healthy}{since}.")
    elif deployment is not None and deployment.status == "completed":
        said.append(f"{deployment.version} was deployed.")
    return " ".join(said)


def _command(found: Blocker, environment: str) -> str:
    name = SAY.get(found.gate)
    if name is None or f"/{name}" in found.message or (name == "retry" and found.state != "rejected"):
        return ""
    return f"/{name}" if name == "retry" else f"/{name} {environment} REASON"
