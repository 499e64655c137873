"""What performers answer: one result model per kind of effect."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.model import Model, Moment


class CommitResult(Model):
    """`sha` full; `parent` None for a first commit; `signed` tells whether a signature is on it."""

    sha: str
    tree: str
    branch: str
    parent: str | None = None
    signed: bool = False
    files: tuple[str, ...] = ()
    committed_at: str = ""


class ChangeResult(Model):
    """Of `OpenChange`; `created` is False when an open change was found."""

    number: int
    url: str
    head: str
    created: bool = True


class CommentResult(Model):
    """Of `PostComment`."""

    comment_id: str
    url: str = ""


class CheckResult(Model):
    """Of `SetCheck`."""

    check_id: str
    url: str = ""


class UpdateResult(Model):
    """Of `UpdateBranch`: `head` contains `base`, the target's head then. `updated`: a commit was made."""

    head: str
    base: str
    updated: bool


class MergeResult(Model):
    """`tree` is the tree of the commit now on the target branch, `head_tree` that of the approved head."""

    sha: str
    tree: str
    head_tree: str


class PipelineResult(Model):
    """Of `RunPipeline`."""

    pipeline_id: str
    url: str = ""


class Done(Model):
    """For effects whose only answer is that they are done; `id` and `url` where the forge gives them."""

    id: str = ""
    url: str = ""


class IssueResult(Model):
    """Of `OpenIssue`; `reference` is how people name it in a text: `#12`, `AB#12`."""

    reference: str
    url: str = ""
    created: bool = True


class EvidenceResult(Model):
    """Of `GatherEvidence`: what each report says, as payloads of `pointsman.EvidenceAdded`.

    `refused`: reports that could not be read, each with the reason.
    """

    evidence: tuple[dict[str, Any], ...] = ()
    refused: dict[str, str] = Field(default_factory=dict)


class CoverageResult(Model):
    """Of `RecallCoverage`: lines in per cent, and the merged revision; None when the log knows of none."""

    coverage: float | None = None
    revision: str = ""


class SignedResult(Model):
    """Of `SignStatement`: a DSSE envelope, and the key that signed it."""

    key_id: str
    envelope: dict[str, Any]


class Provisioned(Model):
    """One environment made ready for one module (`EnvironmentConfig.yaml`)."""

    namespace: str
    endpoint: str
    resources: tuple[dict[str, Any], ...] = ()
    dns: tuple[dict[str, Any], ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict)
    """Name -> `@vault:` reference, never a value."""


class Probe(Model):
    """One probe's last answer. `latency_ms` is the time of that answer."""

    name: Literal["startup", "readiness", "liveness"]
    ok: bool
    detail: str
    attempts: int = 1
    latency_ms: float = 0.0


class Health(Model):
    """What became of `ApplyRelease` and `UndoRelease`. `restarts` counts crashes seen while probing."""

    healthy: bool
    url: str = ""
    pid: int | None = None
    health_status: tuple[Probe, ...] = ()
    startup_time_ms: float = 0.0
    restarts: int = 0
    reason: str = ""
    log_tail: str = ""


class TriedCase(Model):
    """One unit test of a policy; `problems` are sentences, none when it passed."""

    file: str
    name: str
    problems: tuple[str, ...] = ()


class OtherVerdict(Model):
    """One verdict of the log that another policy would have given otherwise. `at`: when it was told."""

    trace_id: str
    environment: str
    revision: str
    at: Moment
    was: str
    would: str
    reason_code: str
    message: str


class NewlyBlocked(Model):
    """Gates that would block an open change, and do not block it now."""

    trace_id: str
    change: int
    environment: str
    gates: tuple[str, ...]


class PolicyTrial(Model):
    """Of `TryPolicy`. With `errors` (sentences with line and column) nothing else was tried."""

    errors: tuple[str, ...] = ()
    cases: tuple[TriedCase, ...] = ()
    rules: int = 0
    tried: int = 0
    """So many of the rules the cases have seen both to pass and to block."""
    traces: int = 0
    cut: bool = False
    """There are more traces than were asked."""
    verdicts: int = 0
    differing: int = 0
    differences: tuple[OtherVerdict, ...] = ()
    """The first of them."""
    open_changes: int = 0
    blocked: tuple[NewlyBlocked, ...] = ()

    @property
    def failed(self) -> tuple[TriedCase, ...]:
        return tuple(case for case in self.cases if case.problems)

    @property
    def ok(self) -> bool:
        """Whether the file may come in: it can be read, and its own tests pass."""
        return not self.errors and not self.failed


RESULTS: dict[str, type[Model]] = {
    "CommitFiles": CommitResult,
    "OpenChange": ChangeResult,
    "UpdateChange": Done,
    "PostComment": CommentResult,
    "React": Done,
    "SetCheck": CheckResult,
    "UpdateBranch": UpdateResult,
    "MergeChange": MergeResult,
    "CreateTag": Done,
    "RunPipeline": PipelineResult,
    "RecordDeployment": Done,
    "AnswerDeployment": Done,
    "PublishRelease": Done,
    "OpenIssue": IssueResult,
    "LinkIssues": Done,
    "PrepareEnvironment": Done,
    "RevertCommit": CommitResult,
    "CreateRepository": Done,
    "GatherEvidence": EvidenceResult,
    "RecallCoverage": CoverageResult,
    "SignStatement": SignedResult,
    "Provision": Provisioned,
    "ApplyRelease": Health,
    "UndoRelease": Health,
    "WriteMemory": Done,
    "TryPolicy": PolicyTrial,
}
