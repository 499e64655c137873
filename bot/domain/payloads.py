"""Typed payloads of the events that code emits or reads. Unknown keys are kept (`OpenModel`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.effect import File, Probe, Service
from bot.domain.model import Moment, OpenModel

SHA = r"^[0-9a-f]{40}$"


class ModuleGenerated(OpenModel):
    """Generated code of one module: from the API, `pointsman submit`, or a push to `agent/**` (then `branch`, no files)."""

    repository: str
    forge: str = "local"
    module_id: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")
    files: tuple[File, ...] = ()
    branch: str | None = None
    revision: str | None = None
    path: str = ""
    """Folder of the module in a mono-repo; empty: the repository is the module."""
    target_branch: str = "main"
    summary: str = ""
    changelog: tuple[str, ...] = ()
    change_type: Literal["feat", "fix", "chore", "refactor", "perf", "docs", "test", "build", "ci"] = "feat"
    template: str = "python-service"
    inputs: dict[str, Any] = Field(default_factory=dict)
    service: Service | None = None
    needs_infrastructure: bool = True
    compliance_mode: bool = False


class ReleaseIntentDeclared(OpenModel):
    module_id: str
    version: str
    environments: tuple[str, ...] = ()


class CommitReady(OpenModel):
    repository: str
    branch: str
    sha: str = Field(pattern=SHA)
    tree: str = ""
    parent: str | None = None
    module_id: str
    version: str
    message: str = ""
    changelog: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    signed: bool = False
    committed_at: str = ""


class PullRequestCreated(OpenModel):
    repository: str
    number: int
    url: str
    title: str
    source: str
    target: str
    head: str
    changelog: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class PipelineReady(OpenModel):
    repository: str
    revision: str
    path: str
    template: str
    template_version: str
    stages: tuple[str, ...]
    jobs: tuple[dict[str, Any], ...] = ()
    committed: bool


class InfraProvisioned(OpenModel):
    environment: str
    namespace: str
    endpoint: str = ""
    resources: tuple[dict[str, Any], ...] = ()
    dns: tuple[dict[str, Any], ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict)


class Job(OpenModel):
    name: str
    stage: str = ""
    status: str
    allow_failure: bool = False
    duration_s: float = 0.0
    failure_reason: str = ""


class PipelineFinished(OpenModel):
    repository: str
    revision: str
    branch: str = ""
    pipeline_id: str
    status: Literal["success", "failed", "canceled"]
    reason: str = ""
    url: str = ""
    coverage: float | None = None
    jobs: tuple[Job, ...] = ()


class Tests(OpenModel):
    """`TestsPassed` and `TestsFailed`: the verdict of one revision's pipeline."""

    revision: str
    pipeline_id: str = ""
    coverage: float | None = None
    failed_jobs: tuple[str, ...] = ()
    reason: str = ""
    url: str = ""


class Pushed(OpenModel):
    repository: str
    branch: str
    before: str
    after: str
    pusher: str
    default_branch: str = "main"
    messages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class TagPushed(OpenModel):
    """A tag made, moved, or deleted (`after` is all zeros)."""

    repository: str
    tag: str
    before: str
    after: str
    pusher: str


class BranchDeleted(OpenModel):
    """`changes` are the open changes that lost their branch."""

    repository: str
    branch: str
    before: str
    pusher: str
    changes: tuple[int, ...] = ()


class StatusReported(OpenModel):
    """What another tool says about a revision: a check, or a deployment (`name` is `deployment/<environment>`)."""

    repository: str
    revision: str
    name: str
    state: str
    description: str = ""
    url: str = ""


class Change(OpenModel):
    """`ChangeOpened`, `ChangeUpdated`, `ChangeReopened`, `ChangeClosed`, `ChangeLabelled`."""

    repository: str
    number: int
    title: str = ""
    url: str = ""
    author: str
    source: str
    target: str
    head: str
    committers: tuple[str, ...] = ()
    last_pusher: str | None = None
    labels: tuple[str, ...] = ()
    draft: bool = False
    fork: bool = False


class ChangeMerged(Change):
    merge_sha: str
    tree: str = ""
    head_tree: str = ""
    merged_by: str = ""


class Comment(OpenModel):
    """`CommentCreated`, `CommentEdited`, `CommentDeleted` on a change."""

    repository: str
    change: int
    comment_id: str
    author: str
    author_is_bot: bool = False
    body: str = ""
    created_at: Moment
    url: str = ""


class Review(OpenModel):
    repository: str
    change: int
    review_id: str
    author: str
    state: Literal["approved", "changes_requested", "commented"]
    revision: str
    body: str = ""
    submitted_at: Moment


class Actor(OpenModel):
    """What a forge says of a person. `permission` is none, read, write, maintain or admin."""

    login: str
    permission: Literal["none", "read", "write", "maintain", "admin"] = "none"
    teams: tuple[str, ...] = ()
    bot: bool = False


class FactsGathered(OpenModel):
    """What a decision had asked for (`GatherFacts`), as it was when the forge answered."""

    correlation: str
    repository: str
    purpose: str = ""
    default_branch: str = "main"
    default_head: str | None = None
    branch_head: str | None = None
    change: dict[str, Any] | None = None
    """Shape of `Change` plus `state` (open, closed, merged) and `tree` of the head."""
    policy_text: str | None = None
    policy_revision: str | None = None
    actors: dict[str, Actor] = Field(default_factory=dict)
    files: dict[str, str | None] = Field(default_factory=dict)
    can_write: bool = True
    """Whether the bot's own account may push to the repository."""
    protected_branches: tuple[str, ...] = ()
    tree: tuple[File, ...] = ()
    """The files of `GatherFacts.tree_of`."""


class CommandIssued(OpenModel):
    """One command, as a person wrote it. `via` is comment, api, cli or studio."""

    command: str
    arguments: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    line: str
    via: str
    correlation: str
    change: int | None = None
    comment_id: str | None = None
    written_at: Moment


class CommandRefused(OpenModel):
    command: str
    line: str
    reason_code: str
    message: str
    correlation: str = ""


class ApprovalGranted(OpenModel):
    """`revision` is the full sha it counts for, and for no other."""

    environment: str
    revision: str
    approver: str
    role: str
    method: str
    comment: str = ""
    approved_at: Moment
    correlation: str = ""


class ApprovalRevoked(OpenModel):
    environment: str
    revision: str
    approver: str
    reason: str = ""


class ApprovalInvalidated(OpenModel):
    environment: str
    revision: str
    approver: str
    new_revision: str
    reason: str


class ApprovalsCarried(OpenModel):
    """`pointsman.ApprovalsCarried`: the merged commit's tree equals the approved one's, so approvals count for it."""

    from_revision: str
    to_revision: str
    tree: str


class FreezeOverridden(OpenModel):
    """Lifts the named window for this release only; ends with the window (`until`)."""

    environment: str
    window: str
    by: str
    role: str
    reason: str
    until: Moment | None = None
    revision: str = ""


class VerdictChanged(OpenModel):
    """`pointsman.VerdictChanged`: what a reader is shown about one environment changed. `verdict` is the whole tree."""

    environment: str
    revision: str
    state: Literal["approved", "delayed", "rejected"]
    reason_code: str
    digest: str
    verdict: dict[str, Any]
    policy_digest: str
    """Of the policy text; the text itself is in `FactsGathered`."""
    phase: Literal["change", "deployment"] = "change"


class ReleaseVerdict(OpenModel):
    """`ReleaseApproved`, `ReleaseDelayed`, `ReleaseRejected`: once per transition."""

    environment: str
    revision: str
    version: str
    module_id: str
    reasons: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    policy_version: str = ""
    next_change_at: Moment | None = None


class DeploymentStarted(OpenModel):
    environment: str
    namespace: str
    release_id: str
    revision: str
    version: str
    strategy: str
    attempt: int = 1
    previous_version: str | None = None
    retries: int = 0
    rollback_allowed: bool = True


class DeploymentEnded(OpenModel):
    """`DeploymentCompleted` and `DeploymentFailed`."""

    environment: str
    release_id: str
    revision: str
    version: str
    strategy: str = ""
    attempt: int = 1
    url: str = ""
    pid: int | None = None
    deployed_at: str = ""
    health_status: tuple[Probe, ...] = ()
    startup_time_ms: float = 0.0
    restarts: int = 0
    reason: str = ""
    recoverable: bool = True
    rolled_back_to: str | None = None
    release: dict[str, Any] = Field(default_factory=dict)
    """The `Target` that runs (for the last known good)."""


class RollbackTriggered(OpenModel):
    environment: str
    release_id: str
    version: str
    to_version: str | None
    revision: str
    reason: str
    trigger: Literal["automatic", "manual", "policy"]
    by: str | None = None


class TaskScheduled(OpenModel):
    """`AgentTaskScheduled`: what an agent is told (seed 003, invocation metadata)."""

    task_id: str
    agent: str
    skill: str
    fsm_state: str
    step: int
    retries: int = 0
    flow: str = "delivery"
    trace_id: str = ""
    tenant_id: str = ""
    module_id: str = ""
    wait: bool = True
    """False: runs alongside, the flow goes on meanwhile."""


class TaskEnded(OpenModel):
    """`AgentTaskCompleted`, `AgentTaskFailed`, `TaskTimedOut`."""

    task_id: str
    agent: str = ""
    skill: str = ""
    reason_code: str = ""
    message: str = ""
    retryable: bool = True
    """False: trying again would change nothing; a person or a new fact is needed."""
    verdict: str = ""
    """The event that was the agent's negative answer, where the failure is one."""


class PhaseAdvanced(OpenModel):
    """`LifecyclePhaseAdvanced`: a flow went from one state to another."""

    flow: str
    from_state: str
    to_state: str
    step: int
    trigger: str
    trigger_sequence: int | None = None
    """Sequence of the fact that led here: what came after it counts in the new state."""
    retries: int = 0


class ActionCompleted(OpenModel):
    """`AgentActionCompleted`: an effect is done. `request` is the effect without file contents."""

    effect_id: str
    effect: str
    purpose: str = ""
    task_id: str | None = None
    attempt: int = 1
    request: dict[str, Any] = Field(default_factory=dict)
    result: dict[str, Any] = Field(default_factory=dict)


class SkillFailed(OpenModel):
    """`AgentSkillFailed`: an effect failed. `exhausted`: no further attempt will be made."""

    effect_id: str
    effect: str
    purpose: str = ""
    task_id: str | None = None
    attempt: int
    reason_code: str
    message: str
    exhausted: bool
    retry_in_s: float | None = None
    request: dict[str, Any] = Field(default_factory=dict)


class Intervention(OpenModel):
    """`ManualInterventionRequired`, `TaskEscalated`: a person must act. `role` says who."""

    reason_code: str
    message: str
    role: str = "StudioAdmin"
    task_id: str | None = None


class TriggerRequested(OpenModel):
    """A timer or sweep asks a trace to look again."""

    reason: str
    timer: str = ""
    task_id: str | None = None
    step: int | None = None
