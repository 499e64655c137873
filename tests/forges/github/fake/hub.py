"""What the fake knows: accounts, repositories, changes, and all that is said about them.

The rules are GitHub's; the Git is real (git.py). The routes put it on the wire, hooks.py tells of it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.forges.github.fake.git import ZERO, Git, Signature

Json = dict[str, Any]
EVENTS = "check_run issue_comment pull_request pull_request_review pull_request_review_comment push workflow_run".split()  # noqa: SIM905 - reads as prose
WEB = Signature("GitHub", "noreply@github.com")


class Refused(Exception):
    """An answer that is no 2xx, as GitHub words it."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.json = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        if errors is not None:
            self.json["errors"] = errors
        self.headers = headers


def now() -> str:
    """As GitHub writes times: whole seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Account:
    login: str
    id: int
    kind: str = "User"
    email: str = ""

    @property
    def noreply(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass
class Installation:
    id: int
    account: str
    permissions: dict[str, str]
    suspended: bool = False


@dataclass
class Bearer:
    """Whom a token stands for. `permissions` None: a user's, who may do what the user may."""

    login: str
    permissions: dict[str, str] | None = None
    repositories: tuple[str, ...] = ()
    ends: datetime | None = None


@dataclass
class Comment:
    id: int
    number: int
    user: str
    body: str
    created_at: str
    updated_at: str


@dataclass
class Pull:
    number: int
    title: str
    body: str | None
    user: str
    head_ref: str
    base_ref: str
    head_sha: str
    base_sha: str
    state: str = "open"
    draft: bool = False
    merged_by: str | None = None
    merge_commit_sha: str | None = None
    merged_at: str | None = None
    labels: list[str] = field(default_factory=list)
    reviews: list[tuple[str, str, str]] = field(default_factory=list)
    """login, state, revision."""
    closes: list[tuple[str, int]] = field(default_factory=list)
    """Issues that it closes."""
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass
class Issue:
    number: int
    title: str
    body: str | None
    user: str
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    created_at: str = field(default_factory=now)


@dataclass
class Protection:
    """Nothing gets in but by a change; `checks` must have succeeded, `reviews` be given."""

    checks: tuple[str, ...] = ()
    reviews: int = 0


@dataclass
class Repository:
    hub: Hub
    id: int
    owner: str
    name: str
    git: Git
    default_branch: str = "main"
    archived: bool = False
    hooks: list[Json] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    protection: dict[str, Protection] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reactions: set[tuple[int, str, str]] = field(default_factory=set)
    """(comment, login, content)."""
    checks: list[Json] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    deployments: list[Json] = field(default_factory=list)
    runs: list[Json] = field(default_factory=list)
    activity: list[Json] = field(default_factory=list)
    description: str | None = None
    private: bool = True
    has_issues: bool = True
    issues: dict[int, Issue] = field(default_factory=dict)
    deleted_issues: set[int] = field(default_factory=set)
    releases: list[Json] = field(default_factory=list)
    environments: dict[str, Json] = field(default_factory=dict)
    rulesets: list[Json] = field(default_factory=list)
    artefacts: list[Json] = field(default_factory=list)
    methods: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    verified: set[str] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def next_number(self) -> int:
        """Issues and changes are counted together."""
        return max([*self.pulls, *self.issues, *self.deleted_issues], default=0) + 1

    def is_ruled(self, branch: str, ruleset: Json) -> bool:
        """Whether a ruleset is about a branch."""
        named = ruleset["conditions"]["ref_name"]["include"]
        meant = {"~DEFAULT_BRANCH": self.default_branch}
        return ruleset["enforcement"] == "active" and branch in {
            meant.get(name, name.removeprefix("refs/heads/")) for name in named
        }

    def guard(self, branch: str) -> Protection | None:
        """What protects a branch: classic protection and the rules of rulesets, taken together."""
        classic = self.protection.get(branch)
        rules = [rule for one in self.rulesets if self.is_ruled(branch, one) for rule in one["rules"]]
        if classic is None and not rules:
            return None
        asked = [rule["parameters"] for rule in rules if rule["type"] == "required_status_checks"]
        checks = {check["context"] for one in asked for check in one["required_status_checks"]}
        classic = classic or Protection()
        return Protection((*classic.checks, *sorted(checks)), classic.reviews)

    def head(self, branch: str) -> str | None:
        return self.git.ref(f"refs/heads/{branch}")

    def pushed(self, ref: str, before: str | None, after: str | None, by: str, kind: str = "push") -> None:
        """A ref was moved: the activity, the changes of the branch, and the calls that tell of it."""
        if ref.startswith("refs/heads/"):
            kinds = {(True, False): "branch_creation", (False, True): "branch_deletion"}
            self.activity.insert(
                0,
                {
                    "id": self.hub.number(),
                    "node_id": "x",
                    "before": before or ZERO,
                    "after": after or ZERO,
                    "ref": ref,
                    "timestamp": now(),
                    "activity_type": kinds.get((before is None, after is None), kind),
                    "actor": by,
                },
            )
        self.hub.tell_push(self, ref, before, after, by)
        for pull in self.pulls.values():
            if pull.state == "open" and ref == f"refs/heads/{pull.head_ref}":
                self._followed(pull, before, after, by)

    def _followed(self, pull: Pull, before: str | None, after: str | None, by: str) -> None:
        pull.updated_at = now()
        if after is None:
            pull.state = "closed"
            self.hub.tell_pull(self, pull, "closed", by)
        else:
            pull.head_sha = after
            self.hub.tell_pull(self, pull, "synchronize", by, before=before, after=after)

    def move(self, branch: str, sha: str | None, by: str, kind: str = "push") -> None:
        """Point a branch to a commit, or take it away."""
        ref, before = f"refs/heads/{branch}", self.head(branch)
        self.git.point(ref, sha)
        self.pushed(ref, before, sha, by, kind)

    def may(self, login: str) -> str:
        return "admin" if login == self.owner else self.people.get(login, "none")


@dataclass
class Attempt:
    """One attempt at a webhook call."""

    id: int
    guid: str
    delivered_at: datetime
    event: str
    payload: Json
    status_code: int


@dataclass
class Hub:
    """GitHub. `url` is where it is served."""

    folder: Path
    url: str = ""
    app_slug: str = "acme-pointsman"
    app_id: int = 4711
    public_key: bytes = b""
    secret: bytes = b"webhook-secret-of-github"
    hook_url: str = ""
    events: list[str] = field(default_factory=lambda: list(EVENTS))
    accounts: dict[str, Account] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)
    """`acme/release` -> its members."""
    installation: Installation | None = None
    repositories: dict[str, Repository] = field(default_factory=dict)
    bearers: dict[str, Bearer] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    tell: Callable[[str, Json], None] = lambda _event, _payload: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    first_branch: str = "main"
    """What the organisation calls the default branch of a new repository."""
    makers: set[str] = field(default_factory=set)
    """Users who may make repositories."""
    pass_word: str = "sig=0123456789abcdef"
    """What GitHub puts into the address of a file that is kept elsewhere."""
    token_life: timedelta = timedelta(hours=1)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    @property
    def bot(self) -> str:
        return f"{self.app_slug}[bot]"

    def number(self) -> int:
        return next(self._numbers)

    def account(self, login: str, kind: str = "User", email: str = "") -> Account:
        return self.accounts.setdefault(
            login, Account(login, self.number(), kind, email or f"{login}@example.org")
        )

    def by_email(self, email: str) -> Account | None:
        wanted = email.lower()
        return next(
            (a for a in self.accounts.values() if wanted in {a.email.lower(), a.noreply.lower()}), None
        )

    def signature(self, login: str) -> Signature:
        account = self.accounts[login]
        return Signature(login, account.noreply if account.kind == "Bot" else account.email)

    def repository(self, full_name: str) -> Repository:
        """A new repository with a first commit."""
        owner, name = full_name.split("/")
        git = Git.made(self.folder / f"{name}.git")
        made = Repository(self, self.number(), owner, name, git)
        self.repositories[full_name] = made
        return made

    def tell_push(
        self, repository: Repository, ref: str, before: str | None, after: str | None, by: str
    ) -> None:
        from tests.forges.github.fake import answers

        self.tell("push", answers.push(repository, ref, before, after, by))

    def tell_pull(self, repository: Repository, pull: Pull, action: str, by: str, **more: Any) -> None:
        from tests.forges.github.fake import answers

        said = {
            "action": action,
            "number": pull.number,
            "pull_request": answers.pull(repository, pull),
        } | more
        self.tell("pull_request", said | answers.about(repository, by))
