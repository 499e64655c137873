"""Commands, approvals, overrides, and calls for a person."""

from __future__ import annotations

from pydantic import Field

from bot.domain.model import Moment, OpenModel


class CommandIssued(OpenModel):
    """One command, as a person wrote it. `via` is comment, button, api, cli or studio."""

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
    """A command that did nothing, and why: `reason_code` is stable, `message` is what its author read."""

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
    """An approver took an approval back."""

    environment: str
    revision: str
    approver: str
    reason: str = ""


class ApprovalInvalidated(OpenModel):
    """An approval no longer counts, because the head is `new_revision` now."""

    environment: str
    revision: str
    approver: str
    new_revision: str
    reason: str


class ApprovalsCarried(OpenModel):
    """`pointsman.ApprovalsCarried`: the merged commit's tree equals the approved one's, so approvals count
    for it.
    """

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


class Intervention(OpenModel):
    """`ManualInterventionRequired`, `TaskEscalated`: a person must act. `role` says who."""

    reason_code: str
    message: str
    role: str = "StudioAdmin"
    task_id: str | None = None
