"""Every event type by name: who emits it, its payload model, its aliases (domain.md, "Catalogue").

An alias is accepted on input and stored under the first name. A type without a payload model of its own has
an open payload.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from bot.domain import payloads as p
from bot.domain.errors import Invalid
from bot.domain.event import Draft, Event
from bot.domain.model import Model, OpenModel

P = TypeVar("P", bound=Model)


class Open(OpenModel):
    """A payload nothing reads yet."""


@dataclass(frozen=True)
class EventType:
    """One line of the catalogue. `section` groups docs/events.md."""

    name: str
    section: str
    emitter: str
    payload: type[Model] = Open
    aliases: tuple[str, ...] = ()


TYPED: dict[str, tuple[str, type[Model]]] = {
    "ModuleGenerated": ("engineering agents, API, CLI, push to agent/**", p.ModuleGenerated),
    "ReleaseIntentDeclared": ("planning, code-committer", p.ReleaseIntentDeclared),
    "TriggerRequested": ("timers, schedules", p.TriggerRequested),
    "CommitReady": ("code-committer", p.CommitReady),
    "PullRequestCreated": ("pull-request-creator", p.PullRequestCreated),
    "PipelineReady": ("devops-engineer", p.PipelineReady),
    "InfraProvisioned": ("cloud-provisioner", p.InfraProvisioned),
    "TestsPassed": ("on_pipeline, QA agents", p.Tests),
    "TestsFailed": ("on_pipeline, QA agents", p.Tests),
    "ReleaseApproved": ("release-manager", p.ReleaseVerdict),
    "ReleaseDelayed": ("release-manager", p.ReleaseVerdict),
    "ReleaseRejected": ("release-manager", p.ReleaseVerdict),
    "DeploymentStarted": ("deployment-orchestrator", p.DeploymentStarted),
    "DeploymentCompleted": ("deployment-orchestrator", p.DeploymentEnded),
    "DeploymentFailed": ("deployment-orchestrator", p.DeploymentEnded),
    "RollbackTriggered": ("deployment-orchestrator", p.RollbackTriggered),
    "ReleasePublished": ("deployment-orchestrator", p.ReleaseVerdict),
    "Pushed": ("forge", p.Pushed),
    "TagPushed": ("forge", p.TagPushed),
    "BranchDeleted": ("forge", p.BranchDeleted),
    "StatusReported": ("forge", p.StatusReported),
    "ChangeOpened": ("forge", p.Change),
    "ChangeUpdated": ("forge", p.Change),
    "ChangeReopened": ("forge", p.Change),
    "ChangeLabelled": ("forge", p.Change),
    "ChangeClosed": ("forge", p.Change),
    "ChangeMerged": ("forge", p.ChangeMerged),
    "ReviewSubmitted": ("forge", p.Review),
    "CommentCreated": ("forge", p.Comment),
    "CommentEdited": ("forge", p.Comment),
    "CommentDeleted": ("forge", p.Comment),
    "PipelineFinished": ("forge", p.PipelineFinished),
    "ReviewRequested": ("forge", p.ReviewRequested),
    "ReviewDismissed": ("forge", p.ReviewDismissed),
    "CheckRequested": ("forge", p.CheckRequested),
    "CheckActionRequested": ("forge", p.CheckActionRequested),
    "MergeGroupRequested": ("forge", p.MergeGroupRequested),
    "DeploymentRequested": ("forge", p.DeploymentRequested),
    "InstallationChanged": ("forge", p.InstallationChanged),
    "MembershipChanged": ("forge", p.MembershipChanged),
    "RepositoryRenamed": ("forge", p.RepositoryRenamed),
    "pointsman.DeploymentAnswered": ("release-manager", p.DeploymentAnswered),
    "pointsman.OnboardingRequested": ("API, CLI", p.OnboardingRequested),
    "pointsman.ReleaseNoted": ("forge", p.ReleaseNoted),
    "FactsGathered": ("forge, on GatherFacts", p.FactsGathered),
    "CommandIssued": ("on_comment, API, CLI", p.CommandIssued),
    "CommandRefused": ("commands", p.CommandRefused),
    "ApprovalGranted": ("approve_release", p.ApprovalGranted),
    "ApprovalRevoked": ("approve_release", p.ApprovalRevoked),
    "ApprovalInvalidated": ("release-manager", p.ApprovalInvalidated),
    "FreezeOverridden": ("override_freeze", p.FreezeOverridden),
    "HumanTaskRequested": ("any agent, API", p.HumanTask),
    "HumanTaskResponseReceived": ("resolve_task", p.HumanAnswer),
    "ProvisioningApproved": ("provision", p.ProvisioningApproved),
    "ManualInterventionRequired": ("any agent", p.Intervention),
    "TaskEscalated": ("engine, flows", p.Intervention),
    "AgentTaskScheduled": ("flows", p.TaskScheduled),
    "AgentTaskCompleted": ("flows", p.TaskEnded),
    "AgentTaskFailed": ("agents", p.TaskEnded),
    "TaskTimedOut": ("flows", p.TaskEnded),
    "LifecyclePhaseAdvanced": ("flows", p.PhaseAdvanced),
    "TaskCompleted": ("commands, agents", p.CommandAnswered),
    "TaskStalled": ("deployment-orchestrator, flows", p.EnvironmentTask),
    "TaskSkipped": ("deployment-orchestrator, flows", p.EnvironmentTask),
    "NodeUnblocked": ("deployment-orchestrator, flows", p.EnvironmentTask),
    "AutoMergeOnApprove": ("release-manager", p.AutoMerge),
    "AgentActionCompleted": ("engine", p.ActionCompleted),
    "AgentSkillFailed": ("engine", p.SkillFailed),
    "pointsman.VerdictChanged": ("release-manager", p.VerdictChanged),
    "pointsman.ApprovalsCarried": ("release-manager", p.ApprovalsCarried),
    "pointsman.MergeVerdictChanged": ("release-manager", p.MergeVerdictChanged),
    "pointsman.PolicyTrialRequested": ("release-manager", p.PolicyTrialRequested),
    "pointsman.PolicyTried": ("release-manager", p.PolicyTried),
    "pointsman.BranchUpdateRequested": ("release-manager", p.BranchUpdateRequested),
    "pointsman.DelayEnded": ("delay_release", p.DelayEnded),
    "pointsman.ChangeHeld": ("hold", p.Steered),
    "pointsman.ChangeFreed": ("unhold", p.Steered),
    "pointsman.FlowPaused": ("pause", p.Steered),
    "pointsman.FlowResumed": ("resume", p.Steered),
    "pointsman.EnvironmentLocked": ("lock", p.EnvironmentLocked),
    "pointsman.EnvironmentUnlocked": ("unlock", p.EnvironmentLocked),
    "pointsman.PipelineWanted": ("generate_pipeline, update_pipeline", p.PipelineWanted),
    "pointsman.EvidenceAdded": ("API, CLI, devops-engineer", p.EvidenceAdded),
    "pointsman.EvidenceRefused": ("devops-engineer", p.EvidenceRefused),
    "pointsman.CoverageRecalled": ("devops-engineer", p.CoverageRecalled),
    "pointsman.ReleaseAttested": ("release-manager", p.ReleaseAttested),
}

# Name, or `Name=Alias,Alias`; the order is domain.md's.
SECTIONS: dict[str, str] = {
    "Intake and planning of work": """
        ProductIntentSubmitted StrategicBlueprintGenerated=BlueprintGenerated BlueprintValidated
        ReleaseIntentDeclared
        ProjectCreated PlanGenerated MicroservicePlanned TraceInitialized ModuleGenerated=ModuleReady
        StudioCommitRequest
        StudioPRAction TestsGenerated TriggerRequested OverrideSubmitted""",
    "Delivery cluster": """
        CommitReady PullRequestCreated PipelineReady
        InfraProvisioned=ResourcesProvisioned,InfrastructureReady,InfrastructureProvisioned TestsPassed
        TestsFailed
        TestsExecuted SmokeTestsReady ReleaseApproved ReleaseDelayed ReleaseRejected DeploymentStarted
        DeploymentCompleted
        DeploymentFailed RollbackTriggered ReleasePublished ReleaseTriggered PipelineStarted
        PipelineSetupCompleted
        PipelineAuthError""",
    "Repository facts": """
        Pushed TagPushed BranchDeleted ChangeOpened ChangeUpdated ChangeReopened ChangeLabelled ChangeClosed
        ChangeMerged
        ReviewRequested ReviewSubmitted ReviewDismissed CommentCreated CommentEdited CommentDeleted
        PipelineFinished
        StatusReported CheckRequested CheckActionRequested MergeGroupRequested DeploymentRequested
        InstallationChanged
        MembershipChanged RepositoryRenamed FactsGathered""",
    "Commands": """
        StartAgentSession RouteTaskToAgent StartMicroserviceAssembly StartSystemAssembly CreatePullRequest
        RunTests
        TriggerPipeline RequestApproval StartInfrastructureProvisioning ResumeProvisioning GenerateChangelog
        CreateReleaseTag NotifyStakeholders AutoMergeOnApprove""",
    "Approvals and people": """
        CommandIssued CommandRefused ApprovalRequired ApprovalGranted=ApproverSigned,ManualTaskApproved
        ApprovalRevoked
        ApprovalInvalidated FreezeOverridden HumanTaskRequested HumanTaskResponseReceived
        ManualInterventionRequired
        TimeoutWarning""",
    "Tasks and routing": """
        AgentTaskScheduled AgentTaskAcknowledged AgentTaskCompleted AgentTaskFailed AgentNotAcknowledged
        TaskStarted
        TaskCompleted TaskTimedOut TaskStalled TaskFailed TaskSkipped TaskRouted AgentNotFound
        RoutingFallbackTriggered
        TaskRoutingFailed=RoutingFailed TaskEscalated AgentActionStarted AgentActionCompleted
        AgentExecutionStarted
        ExecutionGraphBuilt NodeUnblocked OrchestrationTaskFailed AgentSkillFailed TaskGroupCompleted
        CoordinatorHalted
        OrchestrationExpired OrchestrationFailed PartialOrchestrationCompleted SessionTerminated AgentOnline
        AgentCapabilityDeclared AgentOffline""",
    "Assembly": """
        PortsAndUseCasesReady HandlerReady AdapterGenerated=AdapterReady AssemblyStageCompleted AuthConfigured
        AuthLayerReady StorageReady ObservabilityReady SecretsProvisioned FrontendGenerated MobileAppReady
        GatewayConfigured FullStackReady
        MicroserviceAssemblyCompleted=AssemblyCompleted,MicroserviceAssemblyFinished
        MicroserviceOrchestrationFailed InvalidDomainPlan TemplateApplied TemplateFailed SecretInjected
        SecurityHardeningVerified SecurityOrchestrationFailed MicroserviceQAVerified QAReviewRequired
        QAVerified QAFailed
        QAManuallyVerified IaCPlanGenerated ProvisioningApproved""",
    "Lifecycle": """
        LifecyclePhaseAdvanced=LifecyclePhaseChanged,PhaseAdvanced,PhaseChanged PhaseFailed
        OrchestrationCascadeTriggered
        ProjectDeliveryComplete""",
    "Sprints and milestones": """
        FeatureScopeDefined SprintPlanned SprintReadyToStart SprintStarted SprintCheckpoint SprintPaused
        SprintClosed
        SprintTestPlanReady SprintInfraReady PlanningResumed MilestoneStarted MilestoneCompleted
        FeatureDeferred
        ArtifactReady=ArtifactProduced GateConditionsSatisfied SprintOutputsReady AllTraceChecksPassed
        SecurityPolicyPublished SecurityPolicyViolation TestCasesGenerated SprintQAReady
        SprintReadinessChecked
        MilestonePlanCreated MilestoneReached ValidationPassed""",
    "Pointsman": """
        pointsman.VerdictChanged pointsman.ApprovalsCarried pointsman.MergeVerdictChanged
        pointsman.BranchUpdateRequested pointsman.DeploymentAnswered
        pointsman.OnboardingRequested pointsman.ReleaseNoted
        pointsman.DelayEnded pointsman.ChangeHeld pointsman.ChangeFreed pointsman.FlowPaused
        pointsman.FlowResumed pointsman.EnvironmentLocked pointsman.EnvironmentUnlocked
        pointsman.PipelineWanted pointsman.EvidenceAdded
        pointsman.EvidenceRefused pointsman.CoverageRecalled pointsman.ReleaseAttested

        pointsman.PolicyTrialRequested pointsman.PolicyTried""",
}


def _read(section: str, entry: str) -> EventType:
    name, _, aliases = entry.partition("=")
    emitter, payload = TYPED.get(name, ("any agent", Open))
    return EventType(name, section, emitter, payload, tuple(aliases.split(",")) if aliases else ())


CATALOG: dict[str, EventType] = {
    entry.name: entry
    for section, words in SECTIONS.items()
    for entry in (_read(section, word) for word in words.split())
}
ALIASES: dict[str, str] = {alias: entry.name for entry in CATALOG.values() for alias in entry.aliases}
RESULT_ALIAS = "TestResultsReady"


def canonical_type(name: str, data: dict[str, Any]) -> str:
    """The first name of a type. `TestResultsReady{result}` is one of two. Raises
    Invalid('UnknownEventType').
    """
    if name == RESULT_ALIAS:
        passed = str(data.get("result", "")).lower() in {"passed", "success", "succeeded", "ok", "true"}
        return "TestsPassed" if passed else "TestsFailed"
    name = ALIASES.get(name, name)
    if name not in CATALOG:
        raise Invalid(
            "UnknownEventType",
            f"{name!r} is not an event type of the catalogue (see docs/events.md)",
            path="type",
        )
    return name


def payload(event: Event | Draft) -> Model:
    """The typed payload. Raises Invalid('InvalidPayload') with the path of the first wrong field."""
    try:
        return CATALOG[event.type].payload.model_validate(event.data)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(["data", *map(str, first["loc"])])
        raise Invalid("InvalidPayload", f"{event.type}: {path}: {first['msg']}", path=path) from error


def read(event: Event, model: type[P]) -> P:
    """`payload` for a caller that knows the model; raises TypeError when the catalogue says another."""
    found = payload(event)
    if not isinstance(found, model):
        raise TypeError(f"{event.type} carries {type(found).__name__}, not {model.__name__}")
    return found


def draft(type_: str, data: Model, **context: Any) -> Draft:
    """A draft whose payload is checked against the catalogue when it is made."""
    if not isinstance(data, CATALOG[type_].payload):
        raise TypeError(f"{type_} takes {CATALOG[type_].payload.__name__}, not {type(data).__name__}")
    return Draft(type=type_, data=data.to_json(), **context)
