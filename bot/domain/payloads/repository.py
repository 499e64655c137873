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
    log_tail: str = ""
    """Of a failed job: the end of what it printed (bot.log_text)."""


class PipelineFinished(OpenModel):
    """A pipeline run has ended. `coverage` in per cent.

    `path` is the file the run came from, where the forge says it. `told` is `outcome` when the forge's call
    left the jobs and the coverage out; they are asked for before the run counts.
    """

    repository: str
    revision: str
    branch: str = ""
    pipeline_id: str
    path: str = ""
    told: Literal["all", "outcome"] = "all"
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
    author: str = ""
    """Empty or left out where the forge's call does not say; then what is known already stays."""
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
    """`CommentCreated`, `CommentEdited`, `CommentDeleted`.

    `on` tells a comment on a change from one in a review thread of its files, and from one on an issue, whose
    number is then in `change`.
    """

    repository: str
    change: int
    on: Literal["change", "thread", "issue"] = "change"
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


class ReviewDismissed(OpenModel):
    """A review that no longer counts; `dismissed_by` is who took it back, the reviewer or somebody else."""

    repository: str
    change: int
    review_id: str
    author: str
    dismissed_by: str = ""
    revision: str = ""


class ReviewRequested(OpenModel):
    """Whose review of a change is wanted now."""

    repository: str
    change: int
    reviewers: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class CheckRequested(OpenModel):
    """The checks of a revision are wanted; `name` empty: all of them. `again`: a person asked for it."""

    repository: str
    revision: str
    name: str = ""
    again: bool = False
    branch: str = ""
    changes: tuple[int, ...] = ()


class CheckActionRequested(OpenModel):
    """Somebody pressed a button of a check; `action` is the button's identifier."""

    repository: str
    revision: str
    name: str
    action: str
    changes: tuple[int, ...] = ()


class MergeGroupRequested(OpenModel):
    """A merge queue wants the checks of a group: `revision` is what would be merged into `target`."""

    repository: str
    revision: str
    target: str
    base: str
    branch: str
    changes: tuple[int, ...] = ()
    """The change that the group adds to what stands before it in the queue."""


class DeploymentRequested(OpenModel):
    """A deployment waits for the bot's word. `deployment_id` is what the answer names."""

    repository: str
    environment: str
    revision: str
    deployment_id: str
    run_id: str = ""
    url: str = ""


class InstallationChanged(OpenModel):
    """The bot may see more or fewer repositories of an account. `action`: created, deleted, suspended,
    unsuspended, changed.
    """

    account: str
    action: Literal["created", "deleted", "suspended", "unsuspended", "changed"]
    installation_id: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class MembershipChanged(OpenModel):
    """Somebody came into a team, organisation or repository, or left it (`scope` says which it is)."""

    scope: str
    member: str
    action: Literal["added", "removed", "changed"]
    repository: str = ""


class RepositoryRenamed(OpenModel):
    """A repository has another name or another owner now."""

    repository: str
    previous: str


class ReleaseNoted(OpenModel):
    """Release notes on a forge were written, changed or taken away. Not a release of ours."""

    repository: str
    tag: str
    action: Literal["published", "edited", "deleted"]
    title: str = ""
    url: str = ""


class Actor(OpenModel):
    """What a forge says of a person. `permission` is none, read, write, maintain or admin."""

    login: str
    permission: Literal["none", "read", "write", "maintain", "admin"] = "none"
    teams: tuple[str, ...] = ()
    bot: bool = False


class PastChange(OpenModel):
    """A merged change, as much as a policy could have asked about it. `tests` are those of its last head."""

    number: int
    title: str = ""
    author: str
    merged_by: str = ""
    head: str
    labels: tuple[str, ...] = ()
    committers: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    """Whose review approved the last head."""
    tests: Literal["passed", "failed", "unknown"] = "unknown"


class FactsGathered(OpenModel):
    """What a decision had asked for (`GatherFacts`), as it was when the forge answered."""

    correlation: str
    repository: str
    purpose: str = ""
    default_branch: str = "main"
    default_head: str | None = None
    branch_head: str | None = None
    change: dict[str, Any] | None = None
    """Shape of `Change` plus `state` (open, closed, merged), `tree` of the head, and `touchesPolicy`; of a
    merged one `mergeSha` and `mergeTree`, where the forge's own call does not tell the trees.

    What gates and code owners read, as far as the forge says it (absent: not known): `paths` of all touched
    files, `additions`, `deletions`, `behind` (commits of the target that the branch lacks), `commits` (each
    `sha`, `message`, perhaps `signed` true or false, and `signer`), `workItems` (linked on the forge).
    """
    policy_text: str | None = None
    policy_revision: str | None = None
    organisation_text: str | None = None
    """The policy that all repositories of the organisation lie over; None: it has none."""
    actors: dict[str, Actor] = Field(default_factory=dict)
    files: dict[str, str | None] = Field(default_factory=dict)
    can_write: bool = True
    """Whether the bot's own account may push to the repository."""
    protected_branches: tuple[str, ...] = ()
    tree: tuple[File, ...] = ()
    """The files of `GatherFacts.tree_of`."""
    past: tuple[PastChange, ...] = ()
    """The last merged changes, the newest first (`GatherFacts.past`)."""
    run: PipelineFinished | None = None
    """The run of `GatherFacts.run`, with everything known of it."""
