"""What an organisation on Azure DevOps has: people, one project with its repositories, hooks, runs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.forges.local import history
from bot.forges.local.git import ZERO, git

Json = dict[str, Any]
READ, CONTRIBUTE, CREATE, EDIT_POLICIES, MANAGE, PULL = 2, 4, 256, 2048, 8192, 16384
PERMISSIONS = {
    "none": 0,
    "read": READ,
    "write": READ | CONTRIBUTE | PULL,
    "maintain": READ | CONTRIBUTE | PULL | EDIT_POLICIES,
    "admin": READ | CONTRIBUTE | PULL | EDIT_POLICIES | MANAGE,
}


class Failure(Exception):
    """An error as the API tells it."""

    def __init__(self, status: int, key: str, message: str) -> None:
        super().__init__(message)
        self.status, self.key, self.message = status, key, message


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def guid(name: str) -> str:
    """The same id for the same name, so that a test that fails can be read."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


@dataclass
class Person:
    """An account. `token` is its personal access token."""

    unique: str
    mail: str
    display: str
    token: str = ""
    bits: int = 0
    groups: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return guid(f"person:{self.unique}")

    @property
    def descriptor(self) -> str:
        tenant = guid("tenant")
        return f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{tenant}\\{self.unique}"


@dataclass
class Group:
    """A team or a group; `bits` are what it may do in the repository."""

    name: str
    bits: int = 0

    @property
    def descriptor(self) -> str:
        return f"Microsoft.TeamFoundation.Identity;S-1-9-{guid(self.name)}"


@dataclass
class Update:
    ref: str
    old: str
    new: str


@dataclass
class Push:
    id: int
    by: Person
    at: str
    updates: list[Update]
    commits: list[history.Commit]


@dataclass
class Comment:
    id: int
    author: Person
    content: str
    parent: int = 0
    published: str = field(default_factory=now)
    written: str = ""
    deleted: bool = False
    likes: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.written = self.written or self.published


@dataclass
class Thread:
    id: int
    comments: list[Comment]
    status: str | None = None


@dataclass
class Pull:
    """A pull request. `head`, `onto`, `merge` are what the forge saw when it last tried to merge it."""

    id: int
    title: str
    body: str
    by: Person
    source: str
    target: str
    head: str
    onto: str
    merge: str | None = None
    merge_status: str = "queued"
    status: str = "active"
    labels: list[str] = field(default_factory=list)
    iterations: list[tuple[str, str]] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    votes: dict[str, tuple[Person, int]] = field(default_factory=dict)
    created: str = field(default_factory=now)
    closed: str | None = None
    closed_by: Person | None = None
    options: Json | None = None
    queued: str | None = None
    draft: bool = False
    polls: int = 0
    """How often it will say that it is still merging."""


@dataclass
class Repo:
    """A repository: a real bare one, and what the forge knows beside it."""

    project: str
    name: str
    folder: Path
    default: str = "main"
    """Empty until the first push, in a repository that was made through the API."""
    owner: str = ""
    """Who made it there, and so may do everything in it."""
    pushes: list[Push] = field(default_factory=list)
    pushed_by: dict[str, Push] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    policies: list[Json] = field(default_factory=list)
    merges: dict[int, Json] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return guid(f"repository:{self.project}/{self.name}")

    @property
    def project_id(self) -> str:
        return guid(f"project:{self.project}")

    def head(self, ref: str) -> str:
        return history.resolve(self.folder, ref) or ZERO

    def refs(self) -> dict[str, str]:
        """Every ref and the object it is at, which of an annotated tag is the tag."""
        printed = git(self.folder, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ") for line in printed.decode().splitlines())


@dataclass
class Fault:
    """What goes wrong with a request: once, or `times`, after `skip` that went well.

    `kind`: status, reset (nothing is done), lost (it is done and not answered), slow, cut (half an answer).
    """

    method: str
    path: str
    kind: str
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    skip: int = 0
    seconds: float = 0.0

    def due(self, method: str, path: str) -> bool:
        """Whether this request is the one."""
        if self.method not in {method, "*"} or self.path not in path or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Organisation:
    """Everything, under one lock."""

    folder: Path
    url: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    repositories: dict[str, Repo] = field(default_factory=dict)
    definitions: dict[int, Json] = field(default_factory=dict)
    builds: dict[int, Json] = field(default_factory=dict)
    subscriptions: list[Json] = field(default_factory=list)
    queues: tuple[str, ...] = ("Default", "Azure Pipelines")
    log: list[str] = field(default_factory=lambda: ["2026-11-20T04:00:00.0Z ##[group]Run", "it broke"])
    """What every failed job printed."""
    waiting: list[str] = field(default_factory=list)
    """Plans that wait for an answer."""
    answered: list[Json] = field(default_factory=list)
    public: set[str] = field(default_factory=set)
    """Projects that everybody may see."""
    work_items: dict[int, Json] = field(default_factory=dict)
    wikis: list[Json] = field(default_factory=list)
    pages: dict[tuple[str, str], Json] = field(default_factory=dict)
    """By wiki and path."""
    environments: list[Json] = field(default_factory=list)
    groups_of_variables: dict[int, Json] = field(default_factory=dict)
    notifications: list[Json] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, resource and body of every JSON answer."""
    unknown: list[str] = field(default_factory=list)
    extra_headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer that is fine."""
    page: int = 100
    """Entries in one page of what is told in pages."""
    slow_merges: int = 1
    looks_at_pushes: bool = True
    """Whether it notices the new head of a change at once."""
    tell: Callable[..., None] = lambda *_: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, kind: str) -> int:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def person(self, unique: str, permission: str = "none", teams: tuple[str, ...] = ()) -> Person:
        mail = unique if "@" in unique else f"{unique}@example.org"
        one = self.people.setdefault(
            unique, Person(unique, mail, unique, token=f"pat-of-{unique}-{guid(unique)}")
        )
        one.bits = PERMISSIONS[permission]
        for team in teams:
            self.groups.setdefault(team, Group(team))
            one.groups.append(team)
        return one

    def repo(self, name: str, project: str | None = None) -> Repo:
        for one in self.repositories.values():
            if name in {one.id, one.name} and project in {None, one.project, one.project_id}:
                return one
        raise Failure(
            404,
            "GitRepositoryNotFoundException",
            f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have "
            "permissions for the operation you are attempting.",
        )

    def fault(self, method: str, path: str) -> Fault | None:
        """The fault that is due for a request."""
        return next((one for one in self.faults if one.due(method, path)), None)

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self.lock:
            yield
