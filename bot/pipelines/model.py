r"""A pipeline in words of no forge.

Renderers turn it into the YAML of one CI system; none of them adds a decision.

    name: booking-service
    module: booking-service
    path: services/booking                    # its folder; "." when the repository is the module
    on: {branches: ["**"], changes: true, tags: ["v*"]}
    variables: {MODULE: booking-service}
    jobs:
      - name: test
        stage: test
        needs: [build]
        steps: ["python3 -m unittest discover"]
        coverage: 'TOTAL coverage: (\d+)%'
        artefacts: {paths: [out/]}
        timeout: 600
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from bot.domain.model import Model
from bot.pipelines import metadata

Stage = Literal["build", "test", "scan", "package", "deploy"]
STAGES: tuple[Stage, ...] = get_args(Stage)


def _inside(path: str) -> str:
    if not path or path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts:
        raise ValueError(f"`{path}` does not stay inside the project")
    if re.search(r"[^\w./*@+ -]", path):
        raise ValueError(f"`{path}` has a character that a CI system reads as more than itself")
    return path


def _pattern(text: str) -> str:
    """Every CI system delimits patterns in its own way, so the neutral one is bare.

    Here it must only be one.
    """
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"`{text}` is not a regular expression: {error}") from error
    if re.search(r"\(\?<?[=!]", text):
        raise ValueError(f"`{text}` looks ahead or behind, which GitLab's engine can not")
    return text


# Written by hand into shells of every system: no blanks, quotes or dollar signs.
JobName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
# Names of files and patterns of paths, in every system: nothing that one of them reads as more than itself.
ModulePath = Annotated[
    str, Field(pattern=r"^(\.|[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)$")
]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
RefPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/*-]+$")]
RelativePath = Annotated[str, AfterValidator(_inside)]
Variables = dict[VariableName, Annotated[str, Field(max_length=4096)]]


class Events(Model):
    """Which events.

    Branches and tags by name, where `*` stands for anything but `/` and `**` for anything.
    """

    branches: tuple[RefPattern, ...] = ()
    changes: bool = False
    tags: tuple[RefPattern, ...] = ()

    @model_validator(mode="after")
    def _some(self) -> Events:
        if not (self.branches or self.changes or self.tags):
            raise ValueError("name at least one of branches, changes and tags")
        return self


class Artefacts(Model):
    """Files and folders handed to later jobs and kept; `always` also when the job fails."""

    paths: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    always: bool = False


class Reports(Model):
    """Files that a CI system shows in its own way."""

    junit: RelativePath | None = None
    cobertura: RelativePath | None = None


class Job(Model):
    """Commands of one stage. `timeout` in seconds; `coverage` finds the percentage in the output.

    Without `needs` a job waits for all earlier stages. `on` narrows the events of the pipeline; it never
    widens them.
    """

    name: JobName
    stage: Stage
    steps: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    needs: tuple[JobName, ...] | None = None
    variables: Variables = Field(default_factory=dict)
    artefacts: Artefacts | None = None
    reports: Reports | None = None
    coverage: Annotated[str, AfterValidator(_pattern)] | None = None
    timeout: Annotated[int, Field(ge=1, le=86400)] = 600
    allow_failure: bool = False
    on: Events | None = None


class Pipeline(Model):
    """A whole pipeline, with the template it came from. Of which trace a build is, it reads from its commit.

    Raises ValueError (pydantic's) when jobs do not fit together.
    """

    name: JobName
    module: JobName
    path: ModulePath = "."
    template: str
    template_version: str
    on: Events
    variables: Variables = Field(default_factory=dict)
    jobs: Annotated[tuple[Job, ...], Field(min_length=1)]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that have jobs, in order."""
        used = {job.stage for job in self.jobs}
        return tuple(stage for stage in STAGES if stage in used)

    @property
    def in_a_folder(self) -> bool:
        """Whether other modules may live beside it."""
        return self.path != "."

    def before(self, job: Job) -> tuple[Job, ...]:
        """The jobs that `job` waits for: those it needs, else all of earlier stages."""
        if job.needs is not None:
            return tuple(other for other in self.jobs if other.name in job.needs)
        return tuple(other for other in self.jobs if STAGES.index(other.stage) < STAGES.index(job.stage))

    @model_validator(mode="after")
    def _fits_together(self) -> Pipeline:
        twice = [name for name, count in Counter(job.name for job in self.jobs).items() if count > 1]
        if twice:
            raise ValueError(f"two jobs are called {twice[0]}")
        stages: dict[str, Stage] = {}
        for job in self.jobs:
            _check_needs(job, stages)
            stages[job.name] = job.stage
        own = set(metadata.NAMES)
        clash = own.intersection([*self.variables, *(name for job in self.jobs for name in job.variables)])
        if clash:
            raise ValueError(f"the variable {min(clash)} is the trace's own")
        return self


def _check_needs(job: Job, before: Mapping[str, Stage]) -> None:
    """Needing only what stands before makes circles impossible, in every CI system."""
    for need in job.needs or ():
        if need not in before:
            raise ValueError(f"job {job.name} needs {need}, which does not stand before it")
        if STAGES.index(before[need]) > STAGES.index(job.stage):
            raise ValueError(f"job {job.name} needs {need}, which is in a later stage")
