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
from bot.domain.release import Approval, Override, Rejection, Release


class Shown(Model):
    """A revision that the bot had shown on the change, from `at` on."""

    revision: str
    at: Moment


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
    shown: tuple[Shown, ...] = ()
    pipeline: dict[str, Any] | None = None
    runs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """revision -> last PipelineFinished payload."""
    tests: dict[str, Literal["passed", "failed", "running"]] = Field(default_factory=dict)
    """revision -> passed | failed."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """The last `FactsGathered`, without the people."""
    infra: dict[str, dict[str, Any]] = Field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    releases: dict[str, Release] = Field(default_factory=dict)
    deployments: dict[str, Deployment] = Field(default_factory=dict)
    calendars: dict[str, str] = Field(default_factory=dict)
    """Path on the base branch -> iCalendar text, for the freezes that name one."""
    people: dict[str, p.Actor] = Field(default_factory=dict)
    """What the forge last said of everyone whose rights a decision asked for."""
    pending: dict[str, tuple[dict[str, Any], ...]] = Field(default_factory=dict)
    """correlation -> CommandIssued payloads that wait for facts (with `actor`)."""
    answering: tuple[dict[str, Any], ...] = ()
    """The commands whose facts the last `FactsGathered` brought."""
    carried: dict[str, str] = Field(default_factory=dict)
    """merged revision -> approved revision with the same tree."""
    merge_requested: str | None = None
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
