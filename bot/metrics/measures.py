"""What is counted, under the names that the catalogue of metrics gives (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STARTED = "DeploymentStarted"
ENDED = {"DeploymentCompleted": "completed", "DeploymentFailed": "failed"}
INTENT, SIGNED_OFF = "ReleaseIntentDeclared", "ApprovalGranted"
COUNTED: dict[str, tuple[str, str]] = {
    "ReleaseApproved": ("release_approved", "Releases that all gates agreed to."),
    "ReleaseDelayed": ("release_delayed", "Releases that wait for time or for a person."),
    "ReleaseRejected": ("release_rejected", "Releases that a gate rejected."),
    "DeploymentFailed": ("deployment_failed", "Deployments that did not get healthy."),
    "RollbackTriggered": ("rollback_triggered", "Rollbacks that began."),
    "HumanTaskRequested": ("human_tasks_requested", "Tasks that a person was asked to do."),
    "ManualInterventionRequired": ("manual_intervention_required", "Calls for a person's help."),
    "AgentTaskScheduled": ("agent_tasks_triggered", "Tasks given to agents."),
    "AgentTaskFailed": ("task_failures", "Tasks of agents that failed."),
    "TaskStalled": ("tasks_stalled", "Tasks that had to wait for another to let go of an environment."),
    "LifecyclePhaseAdvanced": ("fsm_state_transitions", "Steps of flows from one state to the next."),
    "TriggerRequested": ("orchestration_triggers", "Times that a timer or a sweep had a trace look again."),
    "CommandIssued": ("commands_issued", "Commands that were carried out."),
    "CommandRefused": ("commands_refused", "Commands that were refused."),
}
"""Event type -> counter (without `_total`) and what it says."""


@dataclass(frozen=True)
class Measure:
    """A histogram: its help, and the upper ends of its buckets, in seconds."""

    help: str
    ends: tuple[float, ...]


MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
DEPLOYMENT, WAIT = "deployment_duration_seconds", "approval_wait_time_seconds"
MEASURES: dict[str, Measure] = {
    DEPLOYMENT: Measure(
        "From the start of a deployment to its end, by how it ended.",
        (1, 5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR),
    ),
    WAIT: Measure(
        "From the declared intent to release (else the begin of the trace) to each sign-off.",
        (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY),
    ),
}


def observed(name: str, outcome: str, began: str, ended: str) -> Counter[Any]:
    """What one duration adds: to each bucket that it fits into, to the count and to the sum.

    Senders state their own times: one that ended before it began took no time.
    """
    seconds = max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds())
    parts: dict[tuple[Any, ...], Any] = {(name, outcome, "count"): 1, (name, outcome, "sum"): seconds}
    parts |= {(name, outcome, end): 1 for end in MEASURES[name].ends if seconds <= end}
    return Counter(parts)
