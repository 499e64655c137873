"""Effects about a repository and what a forge keeps beside its code."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bot.domain.effect.common import Effect


class CreateTag(Effect):
    """Tag a revision; the same tag on the same revision is done already."""

    kind: ClassVar[str] = "CreateTag"
    name: str
    revision: str
    message: str = ""


class RunPipeline(Effect):
    """Run the committed pipeline once more on `branch` at `revision`."""

    kind: ClassVar[str] = "RunPipeline"
    branch: str
    revision: str
    path: str = ""
    """The file with the module's jobs, where a forge runs several files for one revision."""
    variables: dict[str, str] = Field(default_factory=dict)


class RecordDeployment(Effect):
    """Tell the forge where a revision is deployed."""

    kind: ClassVar[str] = "RecordDeployment"
    environment: str
    revision: str
    state: Literal["in_progress", "success", "failure", "inactive"]
    url: str = ""
    description: str = ""


class AnswerDeployment(Effect):
    """Tell a forge that asked (`DeploymentRequested`) whether its deployment may go on. Answered is answered:
    an answer to what waits no longer is done already.
    """

    kind: ClassVar[str] = "AnswerDeployment"
    environment: str
    deployment_id: str
    run_id: str = ""
    state: Literal["approved", "rejected"]
    comment: str


class PublishRelease(Effect):
    """The forge's own release page of a tag, with notes in Markdown.

    A missing tag is made on `revision`; a release that is there gets this title and these notes. Permanent:
    `TagTaken` (the tag is on another revision).
    """

    kind: ClassVar[str] = "PublishRelease"
    tag: str
    revision: str
    title: str
    notes: str
    prerelease: bool = False


class OpenIssue(Effect):
    """Open an issue (a work item), once; marked by the effect's id in its text. Result: `IssueResult`."""

    kind: ClassVar[str] = "OpenIssue"
    title: str
    body: str
    labels: tuple[str, ...] = ()


class LinkIssues(Effect):
    """Say on a change which issues it is about, so that the forge links them; `closes`: merging closes them.

    `references` as people write them on the forge: `#12`, `AB#12`. What is linked already is done. Permanent:
    `IssueMissing`.
    """

    kind: ClassVar[str] = "LinkIssues"
    change: int
    references: tuple[str, ...]
    closes: bool = False


class PrepareEnvironment(Effect):
    """The forge's environment of that name is there and has these variables; others that it has stay.

    Values are in the log: never a secret, only `@vault:` references.
    """

    kind: ClassVar[str] = "PrepareEnvironment"
    environment: str
    variables: dict[str, str] = Field(default_factory=dict)


class RevertCommit(Effect):
    """Take back what `revision` did, by a new commit on `branch` (made from `base` when missing).

    A merge is taken back relative to its first parent. Marked by the `Effect-Id:` trailer, as `CommitFiles`.
    Permanent: `RevertConflict` when a file that it touched is not as it left it.
    """

    kind: ClassVar[str] = "RevertCommit"
    revision: str
    branch: str
    base: str
    message: str
    trailers: dict[str, str] = Field(default_factory=dict)


class CreateRepository(Effect):
    """Make `repository`, with a first commit on `main`, the bot's webhook, and a default branch that only
    changes may touch and whose merges need `required_check`.

    One that the bot made is found again (by `mark`, kept in its description). Permanent: `RepositoryTaken`,
    `NoCreateAccess`.
    """

    kind: ClassVar[str] = "CreateRepository"
    description: str = ""
    mark: str
    private: bool = True
    owner: str = ""
    """Who asked for it: may work in it from the beginning, where the forge does not see to that by itself."""
    required_check: str = ""
    webhook_url: str = ""
