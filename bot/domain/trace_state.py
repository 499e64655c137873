"""The state of a trace: what decisions read, never file contents. `bot.domain.trace.apply` folds events into
it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain import payloads as p
from bot.domain.deployment import Deployment
from bot.domain.event import GENESIS
from bot.domain.flow_state import FlowState
from bot.domain.model import Model, Moment
from bot.domain.release import Approval, Delay, Override, Rejection, Release, Start, Stop


class Shown(Model):
    """A revision that the bot had shown on the change, from `at` on."""

    revision: str
    at: Moment


class BranchUpdate(Model):
    """The last time the bot meant to bring the change's branch up to date: from which head, with which base.

    `updated` made the commit `new_head`, `current` found that there was nothing to bring in.
    """

    head: str
    base: str = ""
    status: Literal["asked", "updated", "current", "failed"]
    new_head: str = ""
    last_pusher: str | None = None
    """Whoever pushed before the bot did: its merge commit makes nobody a second party."""
    reason_code: str = ""
    message: str = ""


class MergeBlocked(Model):
    """The forge did not merge this head, and why."""

    head: str
    reason_code: str
    message: str


class PolicyTrialState(Model):
    """The last trial of a policy that the change brings. `ok` None: it is not over yet."""

    revision: str
    ok: bool | None = None


class TraceState(Model):
    """Everything decided or observed so far in one trace."""

    tenant_id: str
    trace_id: str
    sequence: int = 0
    hash: str = GENESIS
    began_at: Moment | None = None
    updated_at: Moment | None = None
    forge: str = "local"
    repository: str = ""
    module_id: str = ""
    version: str = ""
    module_event: str | None = None
    """Id of the `ModuleGenerated` event (its files stay in the log)."""
    module: dict[str, Any] = Field(default_factory=dict)
    """`ModuleGenerated` without `files`."""
    submitter: str | None = None
    intent_at: Moment | None = None
    flow: FlowState = Field(default_factory=FlowState)
    commit: dict[str, Any] | None = None
    change: dict[str, Any] | None = None
    """Shape of `payloads.Change` plus `state` (open, closed, merged) and, once merged, `mergeSha`."""
    merged_at: Moment | None = None
    shown: tuple[Shown, ...] = ()
    pipeline: dict[str, Any] | None = None
    runs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """revision -> last PipelineFinished payload."""
    tests: dict[str, Literal["passed", "failed", "running"]] = Field(default_factory=dict)
    """revision -> passed | failed."""
    evidence: dict[str, tuple[p.EvidenceAdded, ...]] = Field(default_factory=dict)
    """revision -> what reports say of it (bot.domain.trace_evidence)."""
    evidence_refused: dict[str, dict[str, str]] = Field(default_factory=dict)
    """revision -> reports of its last run that could not be read: path -> why."""
    base_coverage: p.CoverageRecalled | None = None
    """What the log last knew of the coverage of the change's target."""
    attested: dict[str, str] = Field(default_factory=dict)
    """environment -> id of the last `pointsman.ReleaseAttested` (its envelope stays in the log)."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """The last `FactsGathered`, without the people."""
    infra: dict[str, dict[str, Any]] = Field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    reviews: tuple[Approval, ...] = ()
    """Approving reviews on the forge; which environments they count for is the policy's word."""
    overrides: tuple[Override, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    starts: tuple[Start, ...] = ()
    """What people have started, where the policy leaves it to them."""
    delays: tuple[Delay, ...] = ()
    held: Stop | None = None
    paused: Stop | None = None
    """While it is, the flow starts nothing new; what runs goes on."""
    human_tasks: dict[str, p.HumanTask] = Field(default_factory=dict)
    """taskId -> a question that nobody has answered yet."""
    releases: dict[str, Release] = Field(default_factory=dict)
    deployments: dict[str, Deployment] = Field(default_factory=dict)
    calendars: dict[str, str] = Field(default_factory=dict)
    """Path on the base branch -> iCalendar text, for the freezes that name one."""
    policy_files: dict[str, str] = Field(default_factory=dict)
    """Path on the base branch -> text (empty: not there), for what a policy extends, and CODEOWNERS."""
    people: dict[str, p.Actor] = Field(default_factory=dict)
    """What the forge last said of everyone whose rights a decision asked for."""
    pending: dict[str, tuple[dict[str, Any], ...]] = Field(default_factory=dict)
    """correlation -> CommandIssued payloads that wait for facts (with `actor`)."""
    answering: tuple[dict[str, Any], ...] = ()
    """The commands whose facts the last `FactsGathered` brought."""
    carried: dict[str, str] = Field(default_factory=dict)
    """merged revision -> approved revision with the same tree."""
    merge_verdict: p.MergeVerdictChanged | None = None
    """What was last said about merging the change."""
    policy_trial: PolicyTrialState | None = None
    merge_requested: str | None = None
    merge_blocked: MergeBlocked | None = None
    behind_at: str = ""
    """Head and base at which the forge last called the branch behind: told twice of the same, it is stuck."""
    base_moved_to: str = ""
    """Head of the target branch that the change is known to lack; empty: none was heard of."""
    base_contained: str = ""
    """Head of the target branch that the change's head is known to contain; empty: unknown."""
    branch_update: BranchUpdate | None = None
    facts_of: str = ""
    """The head of the change that the last `FactsGathered` spoke of."""
    asked_to_deploy: tuple[p.DeploymentRequested, ...] = ()
    """Deployments of the forge's own that wait for the bot's word."""
    retried: tuple[str, ...] = ()
    """Release ids that a person asked to try again: only a person may, after a rollback."""
    escalations: tuple[dict[str, Any], ...] = ()
    published: bool = False

    @property
    def head(self) -> str | None:
        """The revision a release of this trace is about now: the merge commit once merged, else the change's
        head.
        """
        change = self.change or {}
        return change.get("mergeSha") or change.get("head") or (self.commit or {}).get("sha")

    @property
    def merged(self) -> bool:
        return bool((self.change or {}).get("mergeSha"))
