"""What the stand-in for GitLab remembers: people, groups, projects and all that is in them."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.forges.gitlab.fake.git import Repo

Json = dict[str, Any]
DEVELOPER, MAINTAINER, NOBODY = 30, 40, 0
LEVELS = {"none": 0, "read": 20, "write": 30, "maintain": 40, "admin": 50}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class User:
    id: int
    username: str
    email: str
    bot: bool = False

    @property
    def commit_email(self) -> str:
        return f"{self.id}-{self.username}@users.noreply.gitlab.test" if self.bot else self.email


@dataclass
class Token:
    user: User
    kind: str = "private"
    scopes: tuple[str, ...] = ("api",)
    expires_at: str = "2099-01-01"


@dataclass
class Group:
    id: int
    full_path: str
    members: dict[int, int] = field(default_factory=dict)


@dataclass
class Note:
    id: int
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    discussion: str
    individual: bool = True
    system: bool = False
    type: str | None = None
    emoji: list[tuple[int, str, User]] = field(default_factory=list)


@dataclass
class Version:
    id: int
    head: str
    base: str
    start: str
    patch: str
    created_at: datetime


@dataclass
class Change:
    """A merge request."""

    id: int
    iid: int
    title: str
    description: str
    author: User
    source: str
    target: str
    head: str
    created_at: datetime
    updated_at: datetime
    labels: list[str] = field(default_factory=list)
    state: str = "opened"
    notes: list[Note] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    approved_by: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    merge_commit: str | None = None
    squash_commit: str | None = None
    merged_by: User | None = None
    closed_by: User | None = None
    merge_error: str | None = None
    rebase_polls: int = 0

    @property
    def draft(self) -> bool:
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))


@dataclass
class Status:
    """A line of a pipeline: a job, or what somebody else reports."""

    id: int
    name: str
    status: str
    author: User
    created_at: datetime
    stage: str = "external"
    description: str | None = None
    target_url: str | None = None
    coverage: float | None = None
    allow_failure: bool = False
    trace: str = ""
    archive: bytes | None = None
    """What a job kept (`artifacts: paths`), zipped."""
    expired: bool = False


@dataclass
class Pipeline:
    id: int
    iid: int
    ref: str
    sha: str
    source: str
    user: User
    created_at: datetime
    status: str = "created"
    variables: list[Json] = field(default_factory=list)
    jobs: list[Status] = field(default_factory=list)
    external: list[Status] = field(default_factory=list)

    def latest(self) -> list[Status]:
        """Jobs, and of each reported name the newest."""
        return [*self.jobs, *{status.name: status for status in self.external}.values()]

    def composite(self) -> str:
        """https://docs.gitlab.com/ci/pipelines/: what is open comes first, then what failed."""
        counted = {status.status for status in self.latest() if not status.allow_failure}
        if counted & {"created", "pending", "running"}:
            return "pending" if counted <= {"created", "pending"} else "running"
        return next(
            (bad for bad in ("failed", "canceled") if bad in counted), "success" if counted else "created"
        )

    @property
    def coverage(self) -> float | None:
        known = [job.coverage for job in self.jobs if job.coverage is not None]
        return sum(known) / len(known) if known else None


@dataclass
class Deployment:
    id: int
    iid: int
    environment: str
    sha: str
    ref: str
    user: User
    created_at: datetime
    status: str
    approvals: list[Json] = field(default_factory=list)


@dataclass
class Issue:
    id: int
    iid: int
    title: str
    description: str
    author: User
    created_at: datetime
    labels: list[str] = field(default_factory=list)
    state: str = "opened"


@dataclass
class Release:
    tag: str
    name: str
    description: str
    author: User
    created_at: datetime


@dataclass
class Hook:
    id: int
    url: str
    token: str = ""
    signing_token: str = ""
    leads_to: str = ""
    """Where its calls end up, when the way to `url` is broken."""
    alert_status: str = "executable"
    events: list[Json] = field(default_factory=list)
    wanted: dict[str, bool] = field(default_factory=dict)


@dataclass
class Project:
    id: int
    path: str
    repo: Repo
    default_branch: str = "main"
    visibility: str = "private"
    members: dict[int, int] = field(default_factory=dict)
    protected: dict[str, tuple[int, int]] = field(default_factory=dict)
    """branch -> access levels that may push, and merge; 0: nobody."""
    merge_method: str = "merge"
    squash_option: str = "default_off"
    pipelines_must_succeed: bool = False
    skipped_is_success: bool = False
    approvals_required: int = 0
    ci_config_path: str | None = None
    changes: list[Change] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    deployed: list[tuple[str, str, str]] = field(default_factory=list)
    """Environment, revision and status, each time one was told."""
    environments: dict[str, Json] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    releases: dict[str, Release] = field(default_factory=dict)
    variables: list[Json] = field(default_factory=list)
    description: str = ""
    creator: int = 0
    last_activity: datetime = field(default_factory=now)


@dataclass
class State:
    """One GitLab."""

    folder: Path
    url: str = ""
    users: dict[int, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    slow_rebase: int = 0
    """How often a rebase is still going on when it is asked for."""
    rejects_same_status: bool = True
    """As GitLab before 18.3."""
    _ids: dict[str, Any] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def next_id(self, kind: str) -> int:
        return int(next(self._ids[kind]))

    def user(self, username: str) -> User | None:
        return next((user for user in self.users.values() if user.username == username), None)

    def make_user(self, username: str, email: str = "", *, bot: bool = False) -> User:
        known = self.user(username)
        if known is None:
            known = User(self.next_id("user"), username, email or f"{username}@example.org", bot)
            self.users[known.id] = known
        return known

    def make_group(self, path: str) -> Group:
        for end in range(1, path.count("/") + 2):
            name = "/".join(path.split("/")[:end])
            if name not in self.groups:
                self.groups[name] = Group(self.next_id("group"), name)
        return self.groups[path]

    def level(self, project: Project, user: User) -> int:
        """Direct and inherited membership (`members/all`)."""
        parts = project.path.split("/")[:-1]
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        groups = [self.groups[name].members.get(user.id, 0) for name in above if name in self.groups]
        return max([project.members.get(user.id, 0), *groups])

    def project(self, name: str) -> Project | None:
        found = self.projects.get(name)
        return found or next((one for one in self.projects.values() if str(one.id) == name), None)
