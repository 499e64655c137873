"""Effects about a change, its branch and its revisions."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from bot.domain.effect.common import Effect, File
from bot.domain.model import Model


class GatherFacts(Effect):
    """Read what a decision needs to know: policy text, heads, trees, people. Result: payload of
    `FactsGathered`.
    """

    kind: ClassVar[str] = "GatherFacts"
    correlation: str
    change: int | None = None
    branch: str | None = None
    actors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Files to read beside the policy, at the head of `branch` when that exists, else at the default branch's
    head."""
    tree_of: str | None = None
    """A revision whose files are wanted whole (a push to `agent/**`); a symlink in it is
    Permanent('SymlinkRefused')."""
    past: int = Field(default=0, ge=0, le=50)
    """How many of the last merged changes are wanted."""
    signatures: bool = False
    """Whether somebody asks which commits of the change are signed; forges that tell it anyway do."""
    run: str | None = None
    """Id of a pipeline run whose jobs and coverage are wanted."""


class CommitFiles(Effect):
    """One commit on `branch` (made from `base` when missing). Marked by its `Effect-Id:` trailer."""

    kind: ClassVar[str] = "CommitFiles"
    branch: str
    base: str
    """Branch that a missing `branch` starts from."""
    files: tuple[File, ...] = ()
    files_from: str | None = None
    """Id of the `ModuleGenerated` event whose files are committed instead of `files` (they stay in the log,
    once)."""
    prefix: str = ""
    """Folder put before every path of `files_from`."""
    clean: bool = False
    """Remove files under `prefix` that are not among the committed ones (a clean tree)."""
    message: str
    """Subject and body without trailers."""
    trailers: dict[str, str] = Field(default_factory=dict)
    expected_head: str | None = None
    fresh: bool = False
    """The branch must not be there yet, else Permanent('BranchTaken'): another trace was faster."""
    then: dict[str, Any] = Field(default_factory=dict)
    """What whoever asked for the commit will say of it; no forge looks at it."""


class OpenChange(Effect):
    """Open a change, or find the open one from `source` to `target_branch`."""

    kind: ClassVar[str] = "OpenChange"
    source: str
    target_branch: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


class UpdateChange(Effect):
    """Change title, body, labels or state (`closed`) of a change; absent values stay."""

    kind: ClassVar[str] = "UpdateChange"
    change: int
    title: str | None = None
    body: str | None = None
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    state: Literal["open", "closed"] | None = None


class PostComment(Effect):
    """Write a comment; with `sticky` the one comment that carries that mark is edited in place."""

    kind: ClassVar[str] = "PostComment"
    change: int
    body: str
    sticky: str | None = None
    reply_to: str | None = None


class React(Effect):
    """Put a reaction (`eyes`, `rocket`, `-1`) on a comment."""

    kind: ClassVar[str] = "React"
    change: int
    comment_id: str
    reaction: Literal["eyes", "rocket", "-1"]


class Button(Model):
    """What a person may press on a check, where the forge has buttons (GitHub: at most three, 20 and 40
    characters). Pressed, it is a `CheckActionRequested{action}`.
    """

    action: str = Field(max_length=20)
    label: str = Field(max_length=20)
    description: str = Field(max_length=40)


class SetCheck(Effect):
    """Create or update the check `name` on a revision. `conclusion` is None while it is pending."""

    kind: ClassVar[str] = "SetCheck"
    revision: str
    name: str
    conclusion: Literal["success", "failure", "neutral"] | None = None
    title: str
    summary: str = ""
    url: str = ""
    buttons: tuple[Button, ...] = Field(default=(), max_length=3)


class UpdateBranch(Effect):
    """Bring the newest commits of a change's target into its branch, when its head is still `expected_head`.

    A branch that has them already is done. Permanent: `HeadMoved`, `MergeConflict`, `ChangeClosed`,
    `ChangeMerged`, `BranchDeleted`, `NoWriteAccess`. `trailers` are put where the forge lets the bot write
    the message.
    """

    kind: ClassVar[str] = "UpdateBranch"
    change: int
    expected_head: str
    trailers: dict[str, str] = Field(default_factory=dict)


class MergeChange(Effect):
    """Merge when the head is still `expected_head`; a moved head is `Permanent('HeadMoved')`.

    `target_branch`: what was judged; a change that leads elsewhere by now is `Permanent('TargetChanged')`.
    `up_to_date`: only while the head contains the target's head, else `Permanent('BranchBehind')`. A forge
    that can not make sure of it merges all the same: what was merged is compared with what was approved.
    """

    kind: ClassVar[str] = "MergeChange"
    change: int
    expected_head: str
    target_branch: str = ""
    method: Literal["merge", "squash", "rebase"] = "squash"
    message: str
    trailers: dict[str, str] = Field(default_factory=dict)
    up_to_date: bool = False
