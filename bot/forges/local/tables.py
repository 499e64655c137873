"""What the embedded forge keeps beside Git. Moments are RFC 3339 text in UTC: sortable, on both databases."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class ForgeRepository(SQLModel, table=True):
    """`protection` is a list of rules (`bot.forges.local.protection.Rule`); `mark` says for what the bot made
    it, absent for one that a person made.
    """

    __tablename__ = "forge_repositories"

    name: str = Field(primary_key=True)
    default_branch: str = "main"
    protection: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    description: str | None = None
    mark: str | None = None
    created_at: str


class ForgeUser(SQLModel, table=True):
    """A person or a bot. `token_hash` is SHA-256 of the token, empty for who may not sign in."""

    __tablename__ = "forge_users"

    login: str = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str = ""
    token_hash: str = ""
    is_bot: bool = False
    is_admin: bool = False


class ForgeSession(SQLModel, table=True):
    """A signed-in browser. `id_hash` is SHA-256 of the cookie."""

    __tablename__ = "forge_sessions"

    id_hash: str = Field(primary_key=True)
    login: str
    csrf: str
    expires_at: str


class ForgeMember(SQLModel, table=True):
    """What a user may do in a repository: read, write, maintain or admin."""

    __tablename__ = "forge_members"

    repository: str = Field(primary_key=True)
    login: str = Field(primary_key=True)
    permission: str


class ForgeTeam(SQLModel, table=True):
    """One user in one team (`acme/release`)."""

    __tablename__ = "forge_teams"

    team: str = Field(primary_key=True)
    login: str = Field(primary_key=True)


class ForgeRef(SQLModel, table=True):
    """The value of a ref that was last told; whatever Git says differently is still to be told."""

    __tablename__ = "forge_refs"

    repository: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    sha: str


class ForgeChange(SQLModel, table=True):
    """A change. `base` is the merge base of its head; `merging` the commit about to become the merge."""

    __tablename__ = "forge_changes"
    __table_args__: ClassVar[Any] = (UniqueConstraint("repository", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    repository: str
    number: int
    title: str
    body: str = Field(default="", sa_type=Text)
    author: str
    source: str
    target: str
    state: str = "open"
    draft: bool = False
    head: str
    base: str
    merging: str | None = None
    merge_sha: str | None = None
    tree: str = ""
    head_tree: str = ""
    merged_by: str | None = None
    created_at: str
    updated_at: str


class ForgeRevision(SQLModel, table=True):
    """One head a change had, its pusher, and who has a part in it (logins, or addresses nobody owns)."""

    __tablename__ = "forge_change_revisions"

    id: int | None = Field(default=None, primary_key=True)
    change_id: int = Field(index=True)
    sha: str
    pusher: str
    committers: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    co_authors: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    seen_at: str


class ForgeLabel(SQLModel, table=True):
    """One label on one change."""

    __tablename__ = "forge_labels"

    change_id: int = Field(primary_key=True)
    label: str = Field(primary_key=True)


class ForgeComment(SQLModel, table=True):
    """A comment. `mark` is the hidden mark of a sticky one, `effect_id` the effect that wrote it."""

    __tablename__ = "forge_comments"

    id: int | None = Field(default=None, primary_key=True)
    change_id: int = Field(index=True)
    author: str
    body: str = Field(sa_type=Text)
    mark: str | None = None
    reply_to: str | None = None
    effect_id: str | None = Field(default=None, unique=True)
    created_at: str
    edited_at: str | None = None
    deleted_at: str | None = None


class ForgeReaction(SQLModel, table=True):
    """One person's reaction to one comment."""

    __tablename__ = "forge_reactions"

    comment_id: int = Field(primary_key=True)
    login: str = Field(primary_key=True)
    reaction: str = Field(primary_key=True)


class ForgeReview(SQLModel, table=True):
    """A review of one revision: approved, changes_requested or commented."""

    __tablename__ = "forge_reviews"

    id: int | None = Field(default=None, primary_key=True)
    change_id: int = Field(index=True)
    author: str
    state: str
    revision: str
    body: str = Field(default="", sa_type=Text)
    submitted_at: str


class ForgeCheck(SQLModel, table=True):
    """A check of one revision. `conclusion` is absent while it is pending."""

    __tablename__ = "forge_checks"
    __table_args__: ClassVar[Any] = (UniqueConstraint("repository", "revision", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    repository: str
    revision: str
    name: str
    conclusion: str | None = None
    title: str
    summary: str = Field(default="", sa_type=Text)
    url: str = ""
    reporter: str
    updated_at: str


class ForgeDeployment(SQLModel, table=True):
    """What a deployer said about a revision in an environment; a line is added for each new state."""

    __tablename__ = "forge_deployments"

    id: int | None = Field(default=None, primary_key=True)
    repository: str = Field(index=True)
    environment: str
    revision: str
    state: str
    url: str = ""
    description: str = Field(default="", sa_type=Text)
    reporter: str
    effect_id: str | None = Field(default=None, unique=True)
    recorded_at: str


class ForgePipeline(SQLModel, table=True):
    """One run of the committed pipeline: queued, running, then success, failed, canceled or skipped."""

    __tablename__ = "forge_pipelines"
    __table_args__: ClassVar[Any] = (
        # One run per branch (or tag) and revision, unless somebody asks for one more.
        UniqueConstraint("repository", "ref", "sha", "attempt"),
        Index("ix_forge_pipelines_status", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    repository: str
    ref: str
    sha: str
    before: str | None = None
    """Where the branch was before the push, when that is known."""
    attempt: int = 1
    source: str = "push"
    actor: str
    status: str = "queued"
    reason: str = Field(default="", sa_type=Text)
    coverage: float | None = None
    variables: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    effect_id: str | None = Field(default=None, unique=True)
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None


class ForgeJob(SQLModel, table=True):
    """One job of a run. `log` is a path below the forge's home."""

    __tablename__ = "forge_jobs"

    id: int | None = Field(default=None, primary_key=True)
    pipeline_id: int = Field(index=True)
    position: int
    name: str
    stage: str
    status: str
    allow_failure: bool = False
    duration_s: float = 0.0
    failure_reason: str = ""
    log: str = ""


class ForgeDelivery(SQLModel, table=True):
    """A webhook call. Its bytes never change, so that a second attempt is the same delivery."""

    __tablename__ = "forge_deliveries"

    seq: int | None = Field(default=None, primary_key=True)
    delivery_id: str = Field(unique=True)
    repository: str
    event: str
    body: str = Field(sa_type=Text)
    created_at: str
    attempts: int = 0
    last_answer: str = ""
    delivered_at: str | None = Field(default=None, index=True)
