"""What a decision may want done outside the process: one model per kind, one result model per kind.

A performer (a forge, a deployment strategy, the memory writer) gets the effect and returns its `Result`; the
engine records
`AgentActionCompleted{effectId, effect, purpose, request, result}` (or `FactsGathered` for `GatherFacts`), and
the handler
that asked goes on from there. Every effect is idempotent: performers look for its mark before they act again.
"""

from __future__ import annotations

from bot.domain.effect.change import (
    Button,
    CommitFiles,
    GatherFacts,
    MergeChange,
    OpenChange,
    PostComment,
    React,
    SetCheck,
    UpdateBranch,
    UpdateChange,
)
from bot.domain.effect.common import Effect, File
from bot.domain.effect.deployment import ApplyRelease, Provision, Service, Target, UndoRelease
from bot.domain.effect.evidence import GatherEvidence, RecallCoverage, SignStatement
from bot.domain.effect.memory import WriteMemory
from bot.domain.effect.policy import TryPolicy
from bot.domain.effect.repository import (
    AnswerDeployment,
    CreateRepository,
    CreateTag,
    LinkIssues,
    OpenIssue,
    PrepareEnvironment,
    PublishRelease,
    RecordDeployment,
    RevertCommit,
    RunPipeline,
)
from bot.domain.result import (
    RESULTS,
    ChangeResult,
    CheckResult,
    CommentResult,
    CommitResult,
    CoverageResult,
    Done,
    EvidenceResult,
    Health,
    IssueResult,
    MergeResult,
    NewlyBlocked,
    OtherVerdict,
    PipelineResult,
    PolicyTrial,
    Probe,
    Provisioned,
    SignedResult,
    TriedCase,
    UpdateResult,
)

__all__ = [
    "EFFECTS",
    "RESULTS",
    "AnswerDeployment",
    "ApplyRelease",
    "Button",
    "ChangeResult",
    "CheckResult",
    "CommentResult",
    "CommitFiles",
    "CommitResult",
    "CoverageResult",
    "CreateRepository",
    "CreateTag",
    "Done",
    "Effect",
    "EvidenceResult",
    "File",
    "GatherEvidence",
    "GatherFacts",
    "Health",
    "IssueResult",
    "LinkIssues",
    "MergeChange",
    "MergeResult",
    "NewlyBlocked",
    "OpenChange",
    "OpenIssue",
    "OtherVerdict",
    "PipelineResult",
    "PolicyTrial",
    "PostComment",
    "PrepareEnvironment",
    "Probe",
    "Provision",
    "Provisioned",
    "PublishRelease",
    "React",
    "RecallCoverage",
    "RecordDeployment",
    "RevertCommit",
    "RunPipeline",
    "Service",
    "SetCheck",
    "SignStatement",
    "SignedResult",
    "Target",
    "TriedCase",
    "TryPolicy",
    "UndoRelease",
    "UpdateBranch",
    "UpdateChange",
    "UpdateResult",
    "WriteMemory",
]

EFFECTS: dict[str, type[Effect]] = {
    e.kind: e
    for e in (
        GatherFacts,
        CommitFiles,
        OpenChange,
        UpdateChange,
        PostComment,
        React,
        SetCheck,
        UpdateBranch,
        MergeChange,
        CreateTag,
        RunPipeline,
        RecordDeployment,
        AnswerDeployment,
        PublishRelease,
        OpenIssue,
        LinkIssues,
        PrepareEnvironment,
        RevertCommit,
        CreateRepository,
        GatherEvidence,
        RecallCoverage,
        SignStatement,
        Provision,
        ApplyRelease,
        UndoRelease,
        WriteMemory,
        TryPolicy,
    )
}
