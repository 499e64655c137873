"""What an event says to a release engineer: one short sentence, its reason, its link and its weight. Pure.

    told(event)  # Line(text="Release to production waits", reason="Needs ProductOwner.", tone="wait", ...)

Plain text only: whoever shows it escapes it. A type without a phrase of its own is told by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from bot.domain.event import Event
from bot.studio.phrases import PHRASES, Data, Words, text

Tone = Literal["good", "bad", "wait", "info"]
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
WEB = re.compile(r"https?://[^\s]+\Z")
LONGEST = 300


@dataclass(frozen=True)
class Line:
    """One line of a timeline. `minor`: a step on the way, on request. `link`: a web address, or empty."""

    text: str
    tone: Tone
    minor: bool
    agent: str
    actor: str
    environment: str
    reason: str
    link: str


def told(event: Event) -> Line:
    """The line of one event."""
    data = event.data
    weight, phrase = PHRASES.get(event.type, ("info", ""))
    said = phrase.format_map(Words(data)) if isinstance(phrase, str) else phrase(data)
    return Line(
        text=clip(said) or by_name(event.type),
        tone=_tone(event, weight.removeprefix("-")),
        minor=weight.startswith("-"),
        agent=event.agent_id or text(data, "agent"),
        actor=event.actor or "",
        environment=event.environment or text(data, "environment"),
        reason=clip(reason(data)),
        link=link(data),
    )


def by_name(type_: str) -> str:
    """`acme.QualityReportReady` -> `Quality report ready`."""
    return " ".join(WORD.findall(type_.rpartition(".")[2])).lower().capitalize() or type_


def reason(data: Data) -> str:
    """Why, in the words of whoever said it."""
    reasons = data.get("reasons")
    if isinstance(reasons, (list, tuple)) and reasons:
        return " ".join(str(one) for one in reasons)
    verdict = data.get("verdict")
    if isinstance(verdict, dict):
        return text(verdict, "message")
    return next((said for name in ("message", "reason", "comment") if (said := text(data, name))), "")


def link(data: Data) -> str:
    """Where to read more: the change, the pipeline's log, the running service."""
    result = data.get("result")
    urls = (text(data, "url"), text(result, "url") if isinstance(result, dict) else "")
    return next((found for url in urls if (found := web(url))), "")


def web(url: object) -> str:
    """A web address, or nothing: what forges and services say may be any text."""
    return url if isinstance(url, str) and WEB.match(url) else ""


def clip(said: str, limit: int = LONGEST) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(said.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _tone(event: Event, weight: str) -> Tone:
    if event.type == "pointsman.VerdictChanged":
        weight = {"approved": "good", "rejected": "bad"}.get(text(event.data, "state"), "wait")
    if event.type == "PipelineFinished":
        weight = "good" if event.data.get("status") == "success" else "bad"
    return cast("Tone", weight)
