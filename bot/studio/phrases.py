"""The sentence of each event type, with its weight; `-` before it: a step on the way, shown on request.

`{revision:.10}` is a field of the payload, cut to ten characters; a field that is missing is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]


def text(data: Data, name: str) -> str:
    """A field as text; empty for whatever is no text and no number."""
    value = data.get(name)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


class Words(dict[str, str]):
    """The fields of a payload for a phrase."""

    def __init__(self, data: Data) -> None:
        super().__init__((name, text(data, name)) for name in data)

    def __missing__(self, name: str) -> str:
        return ""


def number_of(data: Data, name: str, word: str) -> str:
    """`1 file`, `2 files`."""
    found = data.get(name)
    count = len(found) if isinstance(found, (list, tuple)) else 0
    return f"{count} {word}{'' if count == 1 else 's'}"


def _submitted(data: Data) -> str:
    files = f" ({number_of(data, 'files', 'file')})" if data.get("files") else ""
    return "{moduleId} {version} was submitted to {repository}".format_map(Words(data)) + files


def _committed(data: Data) -> str:
    return (
        "Committed {sha:.10} on {branch} ".format_map(Words(data)) + f"({number_of(data, 'files', 'file')})"
    )


def _pipeline_ready(data: Data) -> str:
    return f"Pipeline {text(data, 'path')} is in place ({number_of(data, 'stages', 'stage')})"


def _pipeline_finished(data: Data) -> str:
    how = {"success": "passed", "failed": "failed", "canceled": "was cancelled"}
    coverage = data.get("coverage")
    covered = f", coverage {coverage:.0f} %" if isinstance(coverage, (int, float)) else ""
    return f"Pipeline of {text(data, 'revision')[:10]} {how.get(text(data, 'status'), 'ended')}{covered}"


def _tests_failed(data: Data) -> str:
    jobs = data.get("failedJobs")
    named = f": {', '.join(map(str, jobs))}" if isinstance(jobs, (list, tuple)) and jobs else ""
    return f"Tests of {text(data, 'revision')[:10]} failed{named}"


def _verdict(data: Data) -> str:
    how = {"approved": "may go ahead", "delayed": "waits", "rejected": "is blocked"}
    return f"Release to {text(data, 'environment')} {how.get(text(data, 'state'), 'was evaluated')}"


def _merge_verdict(data: Data) -> str:
    how = {"approved": "may be merged", "delayed": "may not be merged yet", "rejected": "may not be merged"}
    return f"{text(data, 'revision')[:10]} {how.get(text(data, 'state'), 'was evaluated')}"


def _policy_tried(data: Data) -> str:
    how = "may come in" if data.get("ok") else "may not come in"
    return f"The policy of {text(data, 'revision')[:10]} {how}"


def _deploying(data: Data) -> str:
    again = f" (attempt {text(data, 'attempt')})" if data.get("attempt", 1) != 1 else ""
    return "Deploying {version} to {environment}".format_map(Words(data)) + again


def _deployment_failed(data: Data) -> str:
    back = text(data, "rolledBackTo")
    return "{version} failed in {environment}".format_map(Words(data)) + (
        f"; {back} runs again" if back else ""
    )


def _rollback(data: Data) -> str:
    before = text(data, "toVersion") or "nothing"
    return "Rolling {environment} back from {version} to ".format_map(Words(data)) + before


def _attempt_failed(data: Data) -> str:
    if not data.get("exhausted"):
        wait = text(data, "retryInS") or "0"
        return "{effect} failed at attempt {attempt}; ".format_map(Words(data)) + f"the next is in {wait} s"
    count = text(data, "attempt") or "1"
    return f"Gave up {text(data, 'effect')} after {count} attempt{'' if count == '1' else 's'}"


def _answered(data: Data) -> str:
    return "{line} was done".format_map(Words(data)) if data.get("line") else "Task completed"


def _step(data: Data) -> str:
    return f"Step {text(data, 'toState').replace('_', ' ')}"


Phrase = str | Callable[[Data], str]
PHRASES: dict[str, tuple[str, Phrase]] = {
    "ModuleGenerated": ("info", _submitted),
    "ReleaseIntentDeclared": ("-info", "{moduleId} {version} is meant to be released"),
    "CommitReady": ("good", _committed),
    "PullRequestCreated": ("good", "Change #{number} opened: {title}"),
    "PipelineReady": ("good", _pipeline_ready),
    "InfraProvisioned": ("good", "{environment} is provisioned as {namespace}"),
    "PipelineStarted": ("-info", "Pipeline of {revision:.10} started"),
    "PipelineFinished": ("info", _pipeline_finished),
    "TestsPassed": ("good", "Tests of {revision:.10} passed"),
    "TestsFailed": ("bad", _tests_failed),
    "pointsman.VerdictChanged": ("wait", _verdict),
    "DeploymentRequested": ("-info", "The forge asks whether it may deploy {revision:.10} to {environment}"),
    "pointsman.DeploymentAnswered": ("info", "The forge was told: {environment} {state}. {reason}"),
    "pointsman.ApprovalsCarried": (
        "-good",
        "Approvals of {fromRevision:.10} count for {toRevision:.10}: same tree",
    ),
    "ReleaseApproved": ("good", "{moduleId} {version} may be deployed to {environment}"),
    "ReleaseDelayed": ("-wait", "{moduleId} {version} waits for {environment}"),
    "ReleaseRejected": ("bad", "{moduleId} {version} was rejected for {environment}"),
    "ReleasePublished": ("good", "{moduleId} {version} is released everywhere"),
    "ApprovalGranted": ("good", "{approver} ({role}) approved {revision:.10} for {environment}"),
    "ApprovalRevoked": ("wait", "{approver} took the approval for {environment} back"),
    "ApprovalInvalidated": (
        "wait",
        "The approval of {approver} for {environment} no longer counts: {reason}",
    ),
    "FreezeOverridden": ("wait", "{by} lifted the freeze {window} for {environment}"),
    "CommandIssued": ("info", "{line}"),
    "CommandRefused": ("bad", "{line} was refused ({reasonCode})"),
    "TaskCompleted": ("-good", _answered),
    "pointsman.MergeVerdictChanged": ("-info", _merge_verdict),
    "pointsman.PolicyTrialRequested": ("-info", "The policy of {revision:.10} is tried"),
    "pointsman.PolicyTried": ("info", _policy_tried),
    "pointsman.BranchUpdateRequested": ("-info", "Bringing {revision:.10} up to date with its target"),
    "AutoMergeOnApprove": ("-info", "Merging {revision:.10}: every gate before the merge holds"),
    "ChangeOpened": ("-info", "Change #{number} opened: {title}"),
    "ChangeUpdated": ("info", "Change #{number} has a new head {head:.10}"),
    "ChangeReopened": ("info", "Change #{number} reopened: {title}"),
    "ChangeLabelled": ("-info", "Change #{number} labelled"),
    "ChangeClosed": ("bad", "Change #{number} closed without a merge"),
    "ChangeMerged": ("good", "Change #{number} merged: {title}"),
    "CommentCreated": ("-info", "{author} commented"),
    "CommentEdited": ("-info", "{author} edited a comment"),
    "ReviewSubmitted": ("-info", "{author} reviewed: {state}"),
    "Pushed": ("-info", "{pusher} pushed {after:.10} to {branch}"),
    "DeploymentStarted": ("info", _deploying),
    "DeploymentCompleted": ("good", "{version} runs in {environment} and is healthy"),
    "DeploymentFailed": ("bad", _deployment_failed),
    "RollbackTriggered": ("bad", _rollback),
    "ManualInterventionRequired": ("bad", "A person is needed: {role}"),
    "TaskEscalated": ("bad", "Escalated to {role}"),
    "AgentTaskScheduled": ("-info", "{skill} was asked for"),
    "AgentTaskCompleted": ("-good", "{skill} is done"),
    "AgentTaskFailed": ("bad", "{skill} failed"),
    "TaskTimedOut": ("bad", "{skill} took too long"),
    "LifecyclePhaseAdvanced": ("-info", _step),
    "FactsGathered": ("-info", "Looked up {repository}: policy, change, people"),
    "AgentActionCompleted": ("-info", "{effect} is done"),
    "AgentSkillFailed": ("bad", _attempt_failed),
    "TriggerRequested": ("-info", "Looked again: {reason}"),
}
