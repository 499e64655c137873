"""After every fact that an artefact shows, the trace's memory is written again."""

from __future__ import annotations

from bot.domain.decision import Decision, do
from bot.domain.effect import WriteMemory
from bot.domain.event import Event
from bot.domain.view import View
from handlers.declare import on

SHOWN = (
    "CommitReady",
    "PullRequestCreated",
    "PipelineReady",
    "InfraProvisioned",
    "TestsPassed",
    "TestsFailed",
    "ApprovalGranted",
    "ApprovalRevoked",
    "ApprovalInvalidated",
    "FreezeOverridden",
    "ReleaseApproved",
    "ReleaseDelayed",
    "ReleaseRejected",
    "DeploymentStarted",
    "DeploymentCompleted",
    "DeploymentFailed",
    "RollbackTriggered",
    "ReleasePublished",
    "pointsman.EvidenceAdded",
    "pointsman.ReleaseAttested",
    "AgentTaskCompleted",
    "AgentTaskFailed",
)


@on(*SHOWN)
def write_memory(_event: Event, _view: View) -> Decision:
    """Ask for the artefacts; the writer leaves unchanged files alone."""
    return do(WriteMemory())
