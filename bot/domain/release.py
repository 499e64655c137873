"""A release: module + version + environment + revision, with its approvals, overrides and last verdict."""

from __future__ import annotations

from typing import Literal

from bot.domain.event import derived_id
from bot.domain.model import Model, Moment

POLICY_FILE = ".pointsman/policy.yaml"
"""On the base branch: where a repository keeps its policy (interfaces.md)."""
Verdict = Literal["none", "approved", "delayed", "rejected"]


def release_id(module_id: str, version: str, environment: str, revision: str) -> str:
    """Stable id of a release, `release-` and ten hexadecimal digits."""
    return f"release-{derived_id(module_id, version, environment, revision)[:10]}"


def namespace(tenant_id: str, environment: str) -> str:
    """Where a tenant's environment lives (seed 003, environment and tenant scoping)."""
    return f"{tenant_id}-{environment}"


REVIEW = "review"
"""The method of an approval that is a forge's own review; its environment is empty: it speaks of the code."""


class Approval(Model):
    """One approval as stored. It counts for `revision` only, while `ended` is empty."""

    id: str
    environment: str
    revision: str
    approver: str
    role: str
    method: str
    comment: str = ""
    approved_at: Moment
    ended: Literal["", "revoked", "invalidated"] = ""
    why: str = ""
    """Why it ended, for whoever gave it."""


class Override(Model):
    """A freeze lifted for one release and one window, until the window's end."""

    environment: str
    window: str
    by: str
    role: str
    reason: str
    at: Moment
    until: Moment | None = None
    revision: str = ""
    """It lifts the freeze for this revision only (and equal trees); empty: for the whole trace."""


START = "start"
"""The reason of a `TriggerRequested` by which a person starts a release."""


class Start(Model):
    """A person's word that a release may start now: it stands for its revision and environment."""

    environment: str
    revision: str
    by: str
    at: Moment


HOTFIX = "hotfix"
"""The reason of a `TriggerRequested` by which a person has a release that failed deployed once more."""


class Delay(Model):
    """A person's `/delay-release`: nothing of the trace starts there before `until`, whatever is pushed."""

    environment: str
    until: Moment
    by: str
    at: Moment


class Stop(Model):
    """A person's `/hold` or `/pause`."""

    by: str
    reason: str = ""
    at: Moment


class Lock(Model):
    """An environment that somebody has locked, for every release of the repository."""

    by: str
    reason: str = ""
    at: Moment | None = None


class Rejection(Model):
    """A person's `/reject-release`: stands for its revision."""

    environment: str
    revision: str
    by: str
    reason: str
    at: Moment


class Release(Model):
    """What the release manager said last about one environment."""

    environment: str
    release_id: str
    revision: str
    verdict: Verdict = "none"
    shown_state: Verdict = "none"
    reason_code: str = ""
    digest: str = ""
    reasons: tuple[str, ...] = ()
    compliance: bool = False
    """Under compliance rules when it was last evaluated."""
    phase: Literal["change", "deployment"] = "change"
    decided_at: Moment | None = None
    tree: dict[str, object] = {}  # noqa: RUF012 - pydantic copies defaults
