"""Generated code, commits, changes, pipelines, environments: what the agents of the delivery cluster say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bot.domain.effect import File, Service
from bot.domain.model import OpenModel

SHA = r"^[0-9a-f]{40}$"
REFERENCE = r"^[A-Za-z0-9._/-]{0,100}#[1-9][0-9]{0,8}$"


class ModuleGenerated(OpenModel):
    """Generated code of one module: from the API, `pointsman submit`, or a push to `agent/**` (then `branch`,
    no files).
    """

    repository: str
    forge: str = "local"
    module_id: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")
    files: tuple[File, ...] = ()
    branch: str | None = None
    revision: str | None = None
    path: str = ""
    """Folder of the module in a mono-repo; empty: the repository is the module."""
    target_branch: str = "main"
    summary: str = ""
    changelog: tuple[str, ...] = ()
    change_type: Literal["feat", "fix", "chore", "refactor", "perf", "docs", "test", "build", "ci"] = "feat"
    template: str = "python-service"
    inputs: dict[str, Any] = Field(default_factory=dict)
    service: Service | None = None
    needs_infrastructure: bool = True
    compliance_mode: bool = False
    issues: tuple[Annotated[str, Field(pattern=REFERENCE)], ...] = Field(default=(), max_length=20)
    """What the module is about, as people write it on the forge: `#12`, `AB#12`."""
    close_issues: bool = False
    """Whether merging the change closes them."""
    create_repository: bool = False
    """Make the repository when it is not there, where the settings let the bot do that."""


class OnboardingRequested(OpenModel):
    """Somebody wants a policy proposed for a repository."""

    repository: str
    forge: str = "local"


class ReleaseIntentDeclared(OpenModel):
    """Somebody means to release a version; `approval_wait_time_seconds` counts from here."""

    module_id: str
    version: str
    environments: tuple[str, ...] = ()


class CommitReady(OpenModel):
    """The module is committed. `sha` and `tree` are full; `committed_at` is RFC 3339."""

    repository: str
    branch: str
    sha: str = Field(pattern=SHA)
    tree: str = ""
    parent: str | None = None
    module_id: str
    version: str
    message: str = ""
    changelog: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    signed: bool = False
    committed_at: str = ""
    path: str = ""
    service: Service | None = None
    """Where it is and how it is started: bound to the commit like its files, and approved with it."""


class PullRequestCreated(OpenModel):
    """The change is open. `head` is the full sha it had then."""

    repository: str
    number: int
    url: str
    title: str
    source: str
    target: str
    head: str
    changelog: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class PipelineReady(OpenModel):
    """The pipeline YAML is on the branch at `revision`; `committed` is False when it was there already.

    `path` is the file with the module's jobs, `files` all that belong to it; `jobs` have `name` (as a run
    names it), `stage` and `always` (no event leaves it out). `notes` say what was done to a person's file.
    """

    repository: str
    revision: str
    path: str
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    template: str
    template_version: str
    stages: tuple[str, ...]
    jobs: tuple[dict[str, Any], ...] = ()
    committed: bool


class InfraProvisioned(OpenModel):
    """An environment is ready for the module."""

    environment: str
    namespace: str
    endpoint: str = ""
    resources: tuple[dict[str, Any], ...] = ()
    dns: tuple[dict[str, Any], ...] = ()
    secrets: dict[str, str] = Field(default_factory=dict)


class Tests(OpenModel):
    """`TestsPassed` and `TestsFailed`: the verdict of one revision's pipeline."""

    revision: str
    pipeline_id: str = ""
    coverage: float | None = None
    failed_jobs: tuple[str, ...] = ()
    reason: str = ""
    url: str = ""
