"""Everything a policy may look at: plain data, gathered by somebody else.

Also what `policy explain --facts` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import Field

from bot.cel import Kind, Language
from bot.domain.deployment import Slot
from bot.domain.model import Model, Moment
from bot.domain.payloads import Actor
from bot.domain.release import Approval, Delay, Lock, Override, Rejection, Start, Stop

Known = TypeVar("Known")
Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
TestState = Literal["passed", "failed", "running"]


class Signature(Model):
    """A signature of an artefact, as somebody who can verify it found it.

    `identity` is a configured key's name or the certificate's identity. `verified`: it holds, and was made by
    somebody whom the policy trusts. `names_revision`: what is signed says of which revision it was built.
    """

    identity: str = ""
    verified: bool = False
    names_revision: bool = True


class Artifact(Model):
    """Something that was built: an image, a package, a file."""

    name: str
    digest: str = ""
    signatures: tuple[Signature, ...] = ()


class Stage(Model):
    """A stage of a pipeline run."""

    name: str
    status: Literal["passed", "failed", "running", "skipped"]


class Finding(Model):
    """What a scan found, so many times. `id` is a CVE or a rule; empty: not named, only counted."""

    id: str
    severity: Severity
    component: str = ""
    count: int = 1


class Component(Model):
    """A part of what was built, from an SBOM, or so many of the same licences.

    `licences` are SPDX identifiers, each of them enough; ` AND ` joins what must all hold.
    """

    name: str
    version: str = ""
    licences: tuple[str, ...] = ()
    count: int = 1


class Commit(Model):
    """A commit of the change. `signed`: whether the forge verified a signature; None: it does not say."""

    sha: str
    message: str = ""
    signed: bool | None = None
    signer: str = ""


class ReleaseFacts(Model):
    """One release as it stands.

    `revision` is what would be deployed, `head_revision` what people look at now.
    """

    tenant: str = "default"
    module: str = ""
    version: str = ""
    environment: str = ""
    revision: str = ""
    head_revision: str = ""
    """Empty: the same as `revision`."""
    phase: Literal["change", "deployment"] = "change"
    carried: dict[str, str] = Field(default_factory=dict)
    """revision -> approved revision with an equal tree (a merge or squash of it)."""
    tests: dict[str, TestState] = Field(default_factory=dict)
    test_reports: dict[str, TestState] = Field(default_factory=dict)
    """revision -> what reports say that did not come by the pipeline's own word."""
    coverage: dict[str, float] = Field(default_factory=dict)
    """revision -> covered lines in per cent."""
    base_coverage: float | None = None
    """Of the base branch, in per cent."""
    stages: dict[str, tuple[Stage, ...]] = Field(default_factory=dict)
    """revision -> the stages of its pipeline run."""
    findings: dict[str, tuple[Finding, ...]] = Field(default_factory=dict)
    """revision -> what scans found. A revision that is missing was not scanned, as far as anybody knows."""
    components: dict[str, tuple[Component, ...]] = Field(default_factory=dict)
    """revision -> the parts that its SBOM lists."""
    unread: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """revision -> reports that could not be read, each with the reason."""
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    delays: tuple[Delay, ...] = ()
    held: Stop | None = None
    """Somebody holds the change, by word and not by label."""
    paused: Stop | None = None
    """Somebody has paused the flow of the trace."""
    author: str = ""
    committers: tuple[str, ...] = ()
    last_pusher: str | None = None
    co_authors: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    actors: dict[str, Actor] = Field(default_factory=dict)
    """login -> what the forge says of a person.

    Who is missing is not known, which is not the same as holding nothing.
    """
    paths: tuple[str, ...] | None = None
    """The files that the change touches; None: nobody has said yet."""
    additions: int | None = None
    deletions: int | None = None
    """Lines that the change adds and removes; None: nobody has said yet, here and in what follows."""
    behind: int | None = None
    """Commits of the target that the branch of the change lacks."""
    commits: tuple[Commit, ...] | None = None
    work_items: tuple[str, ...] | None = None
    """What the forge has linked."""
    title: str = ""
    source_branch: str = ""
    namespace: str | None = None
    """Where the release would be deployed."""
    secrets: dict[str, bool] | None = None
    """Name -> whether it can be had there. Never a value."""
    locks: dict[str, Lock] | None = None
    """Environment -> who has locked it."""
    code_owners: str | None = None
    """The CODEOWNERS file of the base branch, empty when there is none; None: nobody has looked yet."""
    fork: bool = False
    """The change comes from another repository than it goes into."""
    slots: dict[str, Slot] = Field(default_factory=dict)
    base_branch: str = "main"
    draft: bool = False
    compliance_mode: bool = False
    """What was submitted asks for compliance rules (`complianceMode`)."""
    touches_policy: bool = False
    """The change edits the policy file."""
    intent_at: Moment | None = None
    artifacts: dict[str, tuple[Artifact, ...]] = Field(default_factory=dict)
    """revision -> what was built from it. A revision that is missing: nobody has said yet."""
    starts: tuple[Start, ...] = ()
    calendars: dict[str, str] = Field(default_factory=dict)
    """path in the repository -> iCalendar text."""

    @property
    def head(self) -> str:
        return self.head_revision or self.revision

    @property
    def same_tree(self) -> frozenset[str]:
        """The revision, and those whose approval and tests hold for it because their files are equal."""
        found, revision = {self.revision}, self.carried.get(self.revision)
        while revision and revision not in found:
            found.add(revision)
            revision = self.carried.get(revision)
        return frozenset(found)

    @property
    def lines(self) -> int | None:
        """Lines that the change adds or removes."""
        both = self.additions, self.deletions
        return None if both[0] is None or both[1] is None else both[0] + both[1]

    @property
    def touched(self) -> int | None:
        """Files that the change touches."""
        return None if self.paths is None else len(self.paths)

    @property
    def severities(self) -> tuple[str, ...]:
        """What labels like `severity:critical` say."""
        return tuple(
            label.partition(":")[2].strip() for label in self.labels if label.startswith("severity:")
        )

    @property
    def outside(self) -> bool:
        """Whether the author is not known to hold write permission here."""
        author = self.actor(self.author)
        return author is None or author.permission in {"none", "read"}

    def about(self, known: Mapping[str, Known]) -> Known | None:
        """What is known of the revision, or of one with the same files."""
        if self.revision in known:
            return known[self.revision]
        return next((known[other] for other in sorted(self.same_tree) if other in known), None)

    @property
    def unreadable(self) -> str:
        """A sentence about the reports that could not be read, to be said where one is missed."""
        said = self.about(self.unread)
        return f" Could not be read: {said[0]}." if said else ""

    def actor(self, login: str) -> Actor | None:
        """What is known of a person. Forges do not tell Jane from jane."""
        if login in self.actors:
            return self.actors[login]
        folded = login.casefold()
        return next((actor for name, actor in self.actors.items() if name.casefold() == folded), None)


NAMES: dict[str, Kind] = {
    "change.author": "string",
    "change.base": "string",
    "change.committers": "list<string>",
    "change.draft": "bool",
    "change.fork": "bool",
    "change.labels": "list<string>",
    "change.outside": "bool",
    "now": "timestamp",
    "release.environment": "string",
    "release.module": "string",
    "release.phase": "string",
    "release.revision": "string",
    "release.tenant": "string",
    "release.version": "string",
    "tests.coverage": "double",
    "tests.state": "string",
}
"""What a `when:` condition may name.

`change.outside`: the author is not known to hold write permission. `tests.coverage` has no value while it
is not known: a condition on it blocks.
"""

CONDITIONS = Language(NAMES)


def values(facts: ReleaseFacts, now: datetime) -> dict[str, Any]:
    """The facts by the names of conditions."""
    known: dict[str, Any] = {
        "change.author": facts.author,
        "change.base": facts.base_branch,
        "change.committers": list(facts.committers),
        "change.draft": facts.draft,
        "change.fork": facts.fork,
        "change.outside": facts.outside,
        "change.labels": list(facts.labels),
        "now": now,
        "release.environment": facts.environment,
        "release.module": facts.module,
        "release.phase": facts.phase,
        "release.revision": facts.revision,
        "release.tenant": facts.tenant,
        "release.version": facts.version,
        "tests.state": facts.tests.get(facts.revision, ""),
    }
    coverage = facts.coverage.get(facts.revision)
    return known if coverage is None else known | {"tests.coverage": coverage}
