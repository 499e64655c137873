"""What a forge says, in no forge's words."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bot.domain.effect import File
from bot.domain.model import Moment, OpenModel


class Job(OpenModel):
    """One job of a pipeline run; `duration_s` in seconds."""

    name: str
    stage: str = ""
    status: str
    allow_failure: bool = False
    duration_s: float = 0.0
    failure_reason: str = ""


class PipelineFinished(OpenModel):
    """A pipeline run has ended. `coverage` in per cent."""

    repository: str
    revision: str
    branch: str = ""
    pipeline_id: str
    status: Literal["success", "failed", "canceled"]
    reason: str = ""
    url: str = ""
    coverage: float | None = None
    jobs: tuple[Job, ...] = ()


class Pushed(OpenModel):
    """A branch was created or moved; `messages` and `paths` are those of the new commits."""

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
    """What another tool says about a revision: a check, or a deployment (`name` is
    `deployment/<environment>`).
    """

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
    """A change was merged. `merge_sha` is the commit now on the target, `head_tree` the tree of the head."""

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
    """A forge's own review of a change."""

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
    """Shape of `Change` plus `state` (open, closed, merged), `tree` of the head, and `touchesPolicy`."""
    policy_text: str | None = None
    policy_revision: str | None = None
    actors: dict[str, Actor] = Field(default_factory=dict)
    files: dict[str, str | None] = Field(default_factory=dict)
    can_write: bool = True
    """Whether the bot's own account may push to the repository."""
    protected_branches: tuple[str, ...] = ()
    tree: tuple[File, ...] = ()
    """The files of `GatherFacts.tree_of`."""
