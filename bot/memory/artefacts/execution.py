"""`metadata/<sessionId>/execution-metadata.json`: one per task of an agent: what it made, in what time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.memory.layout import ALL, session
from bot.memory.text import as_json
from bot.memory.trail import head, milliseconds, moment, of, text

STATUS = {"AgentTaskCompleted": "Success", "AgentTaskFailed": "Failed", "TaskTimedOut": "TimedOut"}
ARTEFACTS = {
    "code-committer": "CommitMetadata.json",
    "pull-request-creator": "PullRequestMetadata.json",
    "devops-engineer": "PipelineSnapshot.yaml",
    "cloud-provisioner": "EnvironmentConfig.yaml",
    "release-manager": "ReleaseSummary.json",
    "deployment-orchestrator": "DeploymentSummary.json",
}


def write(state: TraceState, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """One file per task. A task that shares its session with an earlier one is told apart by its id."""
    taken: set[str] = set()
    for scheduled in of(events, "AgentTaskScheduled"):
        task_id = text(scheduled.data.get("taskId")) or scheduled.id
        session_id = scheduled.session_id or f"session-{task_id.removeprefix('task-')}"
        folder = session_id if session_id not in taken else f"{session_id}-{task_id}"
        if folder in taken:
            continue  # the same task scheduled again
        taken.add(folder)
        data = _metadata(state, events, scheduled, task_id) | {"sessionId": session_id}
        yield session(state, folder, "execution-metadata.json"), as_json(data)


def _metadata(state: TraceState, events: Sequence[Event], scheduled: Event, task_id: str) -> dict[str, Any]:
    ended = next((e for e in of(events, *STATUS) if e.data.get("taskId") == task_id), None)
    failures = [e for e in of(events, "AgentSkillFailed") if task_id in {e.task_id, e.data.get("taskId")}]
    agent = text(scheduled.data.get("agent")) or scheduled.agent_id or ""
    said = ended.data if ended else {}
    artifact = text(said.get("artifact")) or text(said.get("output")) or ARTEFACTS.get(agent, "")
    succeeded = ended is not None and ended.type == "AgentTaskCompleted"
    return head(state, scheduled.environment or ALL) | {
        "taskId": task_id,
        "agentId": agent,
        "skillId": text(scheduled.data.get("skill")) or scheduled.skill_id,
        "sprintId": scheduled.sprint_id,
        "featureId": scheduled.feature_id,
        "componentTag": scheduled.component_tag,
        "status": STATUS[ended.type] if ended else "Running",
        "startedAt": moment(scheduled),
        "endedAt": moment(ended),
        "durationMs": milliseconds(scheduled, ended),
        "artifact": artifact if succeeded else "",
        "output": (text(said.get("output")) or artifact) if succeeded else "",
        "fsmState": text(scheduled.data.get("fsmState")),
        "step": scheduled.data.get("step"),
        "retries": scheduled.data.get("retries") or 0,
        "failedActions": len(failures),
        "reasonCode": text(said.get("reasonCode")),
        "error": text(said.get("message")) if ended and not succeeded else "",
    }
