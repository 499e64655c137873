"""What an event says to a release engineer: one short sentence, with its reason, its link and its weight.
Pure.

    line = told(event)      # Line(text="Release to production waits", reason="1 of 2 approvals", tone="wait", ...)

Plain text only: whoever shows it escapes it. A type without a sentence of its own is told by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.event import Event

Tone = Literal["good", "bad", "wait", "info"]
Data = dict[str, Any]
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Line:
    """One line of a timeline. `minor` ones are steps on the way, shown on request."""

    text: str
    tone: Tone
    minor: bool
    agent: str
    actor: str
    environment: str
    reason: str
    link: str
    """An http(s) URL or empty."""


def told(event: Event) -> Line:
    """The line of one event."""
    data = event.data
    tone, minor, say = TOLD.get(event.type, ("info", False, None))
    return Line(
        text=_clip(say(data) if say else by_name(event.type)),
        tone=_tone(event, tone),
        minor=minor,
        agent=event.agent_id or _text(data, "agent"),
        actor=event.actor or "",
        environment=event.environment or _text(data, "environment"),
        reason=_clip(reason(data)),
        link=link(data),
    )


def by_name(type_: str) -> str:
    """`acme.QualityReportReady` -> `Quality report ready`."""
    return " ".join(WORD.findall(type_.rpartition(".")[2])).lower().capitalize() or type_


def reason(data: Data) -> str:
    """Why, in the words of whoever said it."""
    reasons = data.get("reasons")
    if isinstance(reasons, (list, tuple)) and reasons:
        return "; ".join(str(one) for one in reasons)
    verdict = data.get("verdict")
    if isinstance(verdict, dict):
        return _text(verdict, "message")
    return next((said for name in ("message", "reason", "comment") if (said := _text(data, name))), "")


def link(data: Data) -> str:
    """Where to read more: the change, the pipeline's log, the running service. Only web addresses."""
    found = [_text(data, "url")]
    result = data.get("result")
    if isinstance(result, dict):
        found.append(_text(result, "url"))
    return next((url for url in found if re.match(r"https?://[^\s]+\Z", url)), "")


def _tone(event: Event, tone: Tone) -> Tone:
    if event.type == "pointsman.VerdictChanged":
        return {"approved": "good", "rejected": "bad"}.get(_text(event.data, "state"), "wait")  # type: ignore[return-value]
    if event.type == "PipelineFinished":
        return "good" if event.data.get("status") == "success" else "bad"
    return tone


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _clip(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _short(data: Data, name: str = "revision") -> str:
    return _text(data, name)[:10]


def _count(data: Data, name: str, word: str) -> str:
    found = data.get(name)
    number = len(found) if isinstance(found, (list, tuple)) else 0
    return f"{number} {word}{'' if number == 1 else 's'}"


def _module(data: Data) -> str:
    return f"{_text(data, 'moduleId')} {_text(data, 'version')}".strip()


def _submitted(data: Data) -> str:
    files = f" ({_count(data, 'files', 'file')})" if data.get("files") else ""
    return f"{_module(data)} was submitted to {_text(data, 'repository')}{files}"


def _pipeline(data: Data) -> str:
    ended = {"success": "passed", "failed": "failed", "canceled": "was cancelled"}.get(
        _text(data, "status"), "ended"
    )
    coverage = _text(data, "coverage")
    return f"Pipeline of {_short(data)} {ended}" + (f", coverage {float(coverage):.0f} %" if coverage else "")


def _verdict(data: Data) -> str:
    state = {"approved": "may go ahead", "delayed": "waits", "rejected": "is blocked"}.get(
        _text(data, "state"), "was evaluated"
    )
    return f"Release to {_text(data, 'environment')} {state}"


def _retried(data: Data) -> str:
    effect = by_name(_text(data, "effect")).lower()
    if data.get("exhausted"):
        return f"Gave up after {_attempts(data)}: {effect}"
    return f"Attempt {_text(data, 'attempt')} to {effect} failed; next in {_text(data, 'retryInS') or '0'} s"


def _attempts(data: Data) -> str:
    count = _text(data, "attempt") or "1"
    return f"{count} attempt{'' if count == '1' else 's'}"


def _rollback(data: Data) -> str:
    return f"Rolling {_text(data, 'environment')} back from {_text(data, 'version')} to {_text(data, 'toVersion') or 'nothing'}"


def _ended(data: Data) -> str:
    back = _text(data, "rolledBackTo")
    return f"{_text(data, 'version')} failed in {_text(data, 'environment')}" + (
        f"; {back} runs again" if back else ""
    )


def _change(verb: str) -> Callable[[Data], str]:
    return lambda data: f"Change #{_text(data, 'number')} {verb}: {_text(data, 'title')}".removesuffix(": ")


def _task(verb: str) -> Callable[[Data], str]:
    return lambda data: f"{by_name(_text(data, 'skill'))} {verb}"


Told = tuple[Tone, bool, Callable[[Data], str] | None]
TOLD: dict[str, Told] = {
    "ModuleGenerated": ("info", False, _submitted),
    "ReleaseIntentDeclared": ("info", True, lambda d: f"{_module(d)} is meant to be released"),
    "CommitReady": (
        "good",
        False,
        lambda d: f"Committed {_short(d, 'sha')} on {_text(d, 'branch')} ({_count(d, 'files', 'file')})",
    ),
    "PullRequestCreated": ("good", False, _change("opened")),
    "PipelineReady": (
        "good",
        False,
        lambda d: f"Pipeline {_text(d, 'path')} is in place ({_count(d, 'stages', 'stage')})",
    ),
    "InfraProvisioned": (
        "good",
        False,
        lambda d: f"{_text(d, 'environment')} is provisioned as {_text(d, 'namespace')}",
    ),
    "PipelineStarted": ("info", True, lambda d: f"Pipeline of {_short(d)} started"),
    "PipelineFinished": ("info", False, _pipeline),
    "TestsPassed": ("good", False, lambda d: f"Tests of {_short(d)} passed"),
    "TestsFailed": (
        "bad",
        False,
        lambda d: (
            f"Tests of {_short(d)} failed"
            + (f": {', '.join(map(str, d.get('failedJobs') or ()))}" if d.get("failedJobs") else "")
        ),
    ),
    "pointsman.VerdictChanged": ("wait", False, _verdict),
    "pointsman.ApprovalsCarried": (
        "good",
        True,
        lambda d: (
            f"Approvals of {_short(d, 'fromRevision')} count for the merged {_short(d, 'toRevision')}: same tree"
        ),
    ),
    "ReleaseApproved": (
        "good",
        False,
        lambda d: f"{_module(d)} may be deployed to {_text(d, 'environment')}",
    ),
    "ReleaseDelayed": ("wait", True, lambda d: f"{_module(d)} waits for {_text(d, 'environment')}"),
    "ReleaseRejected": ("bad", False, lambda d: f"{_module(d)} was rejected for {_text(d, 'environment')}"),
    "ReleasePublished": ("good", False, lambda d: f"{_module(d)} is released everywhere"),
    "ApprovalGranted": (
        "good",
        False,
        lambda d: (
            f"{_text(d, 'approver')} ({_text(d, 'role')}) approved {_short(d)} for {_text(d, 'environment')}"
        ),
    ),
    "ApprovalRevoked": (
        "wait",
        False,
        lambda d: f"{_text(d, 'approver')} took the approval for {_text(d, 'environment')} back",
    ),
    "ApprovalInvalidated": (
        "wait",
        False,
        lambda d: f"The approval of {_text(d, 'approver')} for {_text(d, 'environment')} no longer counts",
    ),
    "FreezeOverridden": (
        "wait",
        False,
        lambda d: f"{_text(d, 'by')} lifted the freeze {_text(d, 'window')} for {_text(d, 'environment')}",
    ),
    "CommandIssued": ("info", False, lambda d: f"{_text(d, 'line')}"),
    "CommandRefused": ("bad", False, lambda d: f"{_text(d, 'line')} was refused ({_text(d, 'reasonCode')})"),
    "TaskCompleted": (
        "good",
        True,
        lambda d: f"{_text(d, 'line')} was done" if d.get("line") else by_name("TaskCompleted"),
    ),
    "AutoMergeOnApprove": ("info", True, lambda d: f"Merging {_short(d)}: every gate before the merge holds"),
    "ChangeOpened": ("info", True, _change("opened")),
    "ChangeUpdated": (
        "info",
        False,
        lambda d: f"Change #{_text(d, 'number')} has a new head {_short(d, 'head')}",
    ),
    "ChangeReopened": ("info", False, _change("reopened")),
    "ChangeLabelled": ("info", True, _change("labelled")),
    "ChangeClosed": ("bad", False, _change("closed without a merge")),
    "ChangeMerged": ("good", False, _change("merged")),
    "CommentCreated": ("info", True, lambda d: f"{_text(d, 'author')} commented"),
    "CommentEdited": ("info", True, lambda d: f"{_text(d, 'author')} edited a comment"),
    "ReviewSubmitted": (
        "info",
        True,
        lambda d: f"{_text(d, 'author')} reviewed: {_text(d, 'state').replace('_', ' ')}",
    ),
    "Pushed": (
        "info",
        True,
        lambda d: f"{_text(d, 'pusher')} pushed {_short(d, 'after')} to {_text(d, 'branch')}",
    ),
    "DeploymentStarted": (
        "info",
        False,
        lambda d: (
            f"Deploying {_text(d, 'version')} to {_text(d, 'environment')} (attempt {_text(d, 'attempt') or '1'})"
        ),
    ),
    "DeploymentCompleted": (
        "good",
        False,
        lambda d: f"{_text(d, 'version')} runs in {_text(d, 'environment')} and is healthy",
    ),
    "DeploymentFailed": ("bad", False, _ended),
    "RollbackTriggered": ("bad", False, _rollback),
    "ManualInterventionRequired": ("bad", False, lambda d: f"A person is needed: {_text(d, 'role')}"),
    "TaskEscalated": ("bad", False, lambda d: f"Escalated to {_text(d, 'role')}"),
    "AgentTaskScheduled": ("info", True, _task("was asked for")),
    "AgentTaskCompleted": ("good", True, _task("is done")),
    "AgentTaskFailed": ("bad", False, _task("failed")),
    "TaskTimedOut": ("bad", False, _task("took too long")),
    "LifecyclePhaseAdvanced": ("info", True, lambda d: f"Step {_text(d, 'toState').replace('_', ' ')}"),
    "FactsGathered": ("info", True, lambda d: f"Looked up {_text(d, 'repository')}: policy, change, people"),
    "AgentActionCompleted": ("info", True, lambda d: f"{by_name(_text(d, 'effect'))} is done"),
    "AgentSkillFailed": ("bad", False, _retried),
    "TriggerRequested": ("info", True, lambda _: "Looked again"),
}
