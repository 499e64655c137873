"""What every effect on GitHub works with: the client, who the bot is there, what it need not ask twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.domain.errors import Permanent
from bot.forges.github.account import Needs
from bot.forges.github.client import Client
from bot.forges.github.errors import Answered
from bot.forges.github.remembered import Remembered
from bot.forges.github.said import login_of, person

CONTENTS: Needs = {"contents": "write", "metadata": "read"}
TALK: Needs = {"pull_requests": "write", "metadata": "read"}
"""Comments and labels of a change."""
ISSUES: Needs = {"issues": "write"}
"""Wished for beside it: to GitHub a comment on a change is one on its issue, and so are reactions."""
GONE = frozenset({404, 409, 422})
"""GitHub's ways to say that there is no such revision: unknown, in an empty repository, no sha at all."""
MISSING = 404
MOST_ENTRIES = 200_000
"""Files in all listings that are remembered."""


@dataclass(frozen=True)
class Entry:
    """A file in a tree."""

    mode: str
    sha: str
    size: int
    kind: str


@dataclass
class Ground:
    """`login` is the bot's own on GitHub. What is remembered may be forgotten: it is read again then."""

    client: Client
    login: str
    base_url: str
    tenant: str
    known_repositories: Callable[[], list[str]] = list
    trees: Remembered[str] = field(default_factory=lambda: Remembered(2000))
    """(repository, commit) -> its tree."""
    listings: Remembered[Mapping[str, Entry]] = field(
        default_factory=lambda: Remembered(32, heaviest=MOST_ENTRIES)
    )
    """(repository, tree) -> its files."""
    checks: Remembered[tuple[int, bool]] = field(default_factory=lambda: Remembered(2000))
    """(repository, revision, name) -> id of the newest check of that name, and whether it is done."""
    comments: Remembered[tuple[int, str]] = field(default_factory=lambda: Remembered(2000))
    """(repository, change, mark) -> id and URL of the sticky comment."""
    deployments: Remembered[tuple[int, str]] = field(default_factory=lambda: Remembered(500))
    """(repository, environment, revision) -> id, and what it was last said to be."""
    targets: Remembered[str] = field(default_factory=lambda: Remembered(1000))
    """(repository, change) -> the branch it goes to."""
    sources: Remembered[str] = field(default_factory=lambda: Remembered(1000))
    """(repository, change) -> the branch it comes from."""
    patience: float = 0.0
    """Seconds after which what is not there is looked for once more: webhooks overtake GitHub's API."""
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """Of webhooks; the first is told to those that are made."""
    pushers: Remembered[tuple[str, ...]] = field(default_factory=lambda: Remembered(500))
    """(repository, branch, head) -> who pushed to it, the last one first."""

    def name(self, login: str) -> str:
        """Our name for a login."""
        return person({"login": login}, self.login)

    def login_of(self, name: str) -> str:
        return login_of(name, self.login)

    def is_us(self, user: Mapping[str, Any] | None) -> bool:
        """Whether an account is the bot's own."""
        return str((user or {}).get("login", "")).casefold() == self.login.casefold()


def ref_path(kind: str, name: str) -> str:
    """`heads`, `feature/x` -> `heads%2Ffeature%2Fx`."""
    return quote(f"{kind}/{name}", safe="")


def head_of(ground: Ground, repository: str, branch: str) -> str | None:
    """The head of a branch, or None. Raises Answered for a repository that is not there."""
    try:
        said = ground.client.get(repository, f"/git/ref/{ref_path('heads', branch)}")
    except Answered as error:
        if error.status == MISSING or error.says("empty"):
            return None
        raise
    return str(said["object"]["sha"])


def tree_of(ground: Ground, repository: str, sha: str) -> str | None:
    """The tree of a commit, or None when there is no such commit."""
    if known := ground.trees.get(repository, sha):
        return known
    try:
        said = ground.client.get(repository, f"/git/commits/{quote(sha, safe='')}")
    except Answered as error:
        if error.status in GONE:
            return None
        raise
    return ground.trees.put(said["tree"]["sha"], repository, sha)


def listing(ground: Ground, repository: str, tree: str) -> Mapping[str, Entry]:
    """All files of a tree by path. Raises Permanent('TreeTooLarge')."""
    if (known := ground.listings.get(repository, tree)) is not None:
        return known
    said = ground.client.get(repository, f"/git/trees/{tree}", params={"recursive": "1"})
    if said.get("truncated"):
        # GitHub leaves something out above 100,000 entries or 7 MB; nothing may be decided on a part.
        raise Permanent("TreeTooLarge", f"{repository} has more files than GitHub lists")
    found = {
        item["path"]: Entry(item["mode"], item["sha"], item.get("size") or 0, item["type"])
        for item in said["tree"]
        if item["type"] != "tree"
    }
    return ground.listings.put(found, repository, tree, weight=len(found))


def blob_sha(content: bytes) -> str:
    """What Git calls these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
