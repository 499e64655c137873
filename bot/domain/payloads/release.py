"""Verdicts, deployments and rollbacks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.effect import Probe
from bot.domain.model import Moment, OpenModel


class VerdictChanged(OpenModel):
    """`pointsman.VerdictChanged`: what a reader is shown about one environment changed. `verdict` is the
    whole tree.
    """

    environment: str
    revision: str
    state: Literal["approved", "delayed", "rejected"]
    reason_code: str
    digest: str
    verdict: dict[str, Any]
    policy_digest: str
    """Of the policy text; the text itself is in `FactsGathered`."""
    phase: Literal["change", "deployment"] = "change"
    compliance: bool | None = None
    """True: under compliance rules; else left out."""


class ReleaseVerdict(OpenModel):
    """`ReleaseApproved`, `ReleaseDelayed`, `ReleaseRejected`: once per transition."""

    environment: str
    revision: str
    version: str
    module_id: str
    reasons: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    policy_version: str = ""
    compliance: bool | None = None
    next_change_at: Moment | None = None


class DeploymentStarted(OpenModel):
    """A deployment holds its environment from here on. `retries` and `rollback_allowed` are the policy's at
    that moment.
    """

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
    rollback: Literal["", "done", "failed"] = ""
    """Of a failed deployment: whether it was rolled back."""
    log_tail: str = ""
    """Of one that was given up without a rollback: the end of what the service printed."""
    release: dict[str, Any] = Field(default_factory=dict)
    """The `Target` that runs (for the last known good)."""


class DeploymentAnswered(OpenModel):
    """What a forge was told that asked whether it may deploy."""

    environment: str
    revision: str
    deployment_id: str
    state: Literal["approved", "rejected"]
    reason: str


class RollbackTriggered(OpenModel):
    """The environment goes back; `to_version` is None when nothing good ran before."""

    environment: str
    release_id: str
    version: str
    to_version: str | None = None
    revision: str
    reason: str
    trigger: Literal["automatic", "manual", "policy"]
    by: str | None = None
    log_tail: str = ""
    """The end of what the service printed, where it was seen to fail."""


class AutoMerge(OpenModel):
    """`AutoMergeOnApprove`: the bot merges the change because its policy is met at exactly this revision."""

    change: int
    revision: str


class BranchUpdateRequested(OpenModel):
    """`pointsman.BranchUpdateRequested`: the target of the change went on to `base` (empty: it is not known
    where to), so it is merged into the branch whose head is `revision`.
    """

    change: int
    revision: str
    base: str = ""


class PolicyTrialRequested(OpenModel):
    """`pointsman.PolicyTrialRequested`: a change touches the policy, so the policy of its head is tried."""

    change: int
    revision: str


class PolicyTried(OpenModel):
    """`pointsman.PolicyTried`: whether the policy of `revision` can be read and passes its own tests.

    `differing` verdicts of the past would have been others; `blocked`: open changes with newly closed gates.
    """

    change: int
    revision: str
    ok: bool
    message: str = ""
    differing: int = 0
    blocked: int = 0


class MergeVerdictChanged(OpenModel):
    """`pointsman.MergeVerdictChanged`: whether the change may be merged at `revision`, over all environments.
    `waits_for` are those that reject it, or else those that do not approve it yet.
    """

    change: int
    revision: str
    state: Literal["approved", "delayed", "rejected"]
    waits_for: tuple[str, ...] = ()
    observed: bool = False
    policy_digest: str = ""
