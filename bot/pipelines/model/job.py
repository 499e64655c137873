"""One job: commands of one stage, where they run, with what, and what becomes of their results."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.domain.model import Model
from bot.pipelines.model.events import Occasions
from bot.pipelines.model.words import (
    EnvironmentName,
    ImageName,
    JobName,
    OwnJobName,
    Pattern,
    RelativePath,
    SecretReference,
    Stage,
    Url,
    VariableName,
    Variables,
    Word,
)

MOST_COMBINATIONS = 100
"""Of a matrix. GitLab runs 200, GitHub 256; nobody reads as many."""
Right = Literal["contents", "packages", "changes", "security", "deployments"]
Command = Annotated[str, Field(min_length=1)]


class Artefacts(Model):
    """Files and folders handed to later jobs and kept; `always` also when the job fails."""

    paths: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    always: bool = False


class Reports(Model):
    """Files that a CI system shows in its own way."""

    junit: RelativePath | None = None
    cobertura: RelativePath | None = None


class Cache(Model):
    """Folders kept from one run to the next while the files `keys` are the same. Losing it loses time only.

    GitLab keeps folders of the project only, and knows two key files.
    """

    name: JobName
    paths: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    keys: Annotated[tuple[RelativePath, ...], Field(min_length=1, max_length=2)]


class Container(Model):
    """The image that the commands run in. It has `bash` and `git`, and no entry point that stands in the way.

    `axis` takes it from an axis of the job's matrix.
    """

    image: ImageName | None = None
    axis: VariableName | None = None

    @model_validator(mode="after")
    def _one(self) -> Container:
        if (self.image is None) is (self.axis is None):
            raise ValueError("a container has either an image or an axis of the matrix")
        return self


class Service(Model):
    """A container beside the job's own; its host name is `name`."""

    name: JobName
    image: ImageName
    variables: Variables = Field(default_factory=dict)


class Environment(Model):
    """Where a job deploys to. `approval`: a person agrees first. One job at a time deploys there."""

    name: EnvironmentName
    url: Url | None = None
    approval: bool = False


class Identity(Model):
    """A short-lived token of the run, for a cloud that trusts the CI system.

    Commands find it in `IDENTITY_TOKEN`. `connection` is the service connection that Azure Pipelines makes it
    for.
    """

    audience: Word = "api://AzureADTokenExchange"
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", max_length=100)]


class Job(Model):
    """Commands of one stage. `timeout` in seconds; `coverage` finds the percentage in the output.

    Without `needs` a job waits for all earlier stages. `on` narrows the events of the pipeline; it never
    widens them. `when` looks at the jobs that it waits for. `after` runs at the end, also after a failure, in
    a shell of its own. `secrets` are references, never values. `editions` are those that have the job.
    """

    name: OwnJobName
    stage: Stage
    steps: Annotated[tuple[Command, ...], Field(min_length=1)]
    after: tuple[Command, ...] = ()
    needs: tuple[JobName, ...] | None = None
    variables: Variables = Field(default_factory=dict)
    secrets: dict[VariableName, SecretReference] = Field(default_factory=dict)
    matrix: dict[VariableName, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(default_factory=dict)
    container: Container | None = None
    services: tuple[Service, ...] = ()
    caches: Annotated[tuple[Cache, ...], Field(max_length=4)] = ()
    artefacts: Artefacts | None = None
    reports: Reports | None = None
    coverage: Pattern | None = None
    timeout: Annotated[int, Field(ge=1, le=86400)] = 600
    retries: Annotated[int, Field(ge=0, le=2)] = 0
    allow_failure: bool = False
    on: Occasions | None = None
    when: Literal["success", "failure", "always"] = "success"
    environment: Environment | None = None
    permissions: dict[Right, Literal["read", "write"]] = Field(default_factory=dict)
    identity: Identity | None = None
    editions: tuple[Word, ...] = ()

    @property
    def combinations(self) -> tuple[dict[str, str], ...]:
        """Every combination of the matrix, in order; empty without one."""
        if not self.matrix:
            return ()
        return tuple(dict(zip(self.matrix, values, strict=True)) for values in product(*self.matrix.values()))

    @model_validator(mode="after")
    def _fits_together(self) -> Job:
        for fault in self._faults():
            raise ValueError(f"job {self.name}: {fault}")
        return self

    def _faults(self) -> Iterator[str]:
        names = [*self.variables, *self.secrets, *self.matrix]
        if len(set(names)) < len(names):
            yield f"{_twice(names)} is named twice among variables, secrets and matrix"
        if len(self.combinations) > MOST_COMBINATIONS:
            yield f"the matrix has {len(self.combinations)} combinations, more than {MOST_COMBINATIONS}"
        if self.container and self.container.axis and self.container.axis not in self.matrix:
            yield f"the container is of the axis {self.container.axis}, which the matrix does not have"
        if self.services and not self.container:
            yield "services are found by name only from a container; give it one"
        if len({service.name for service in self.services}) < len(self.services):
            yield f"two services are called {_twice([service.name for service in self.services])}"
        yield from self._faults_of_deploying()

    def _faults_of_deploying(self) -> Iterator[str]:
        if self.environment and self.stage != "deploy":
            yield f"an environment belongs to the stage deploy, not {self.stage}"
        if self.environment and self.matrix:
            yield "a job with an environment has no matrix, as Azure Pipelines has none there"
        if self.environment and self.environment.approval and self.when != "success":
            yield "a person agrees to what has passed; `when` must be success"


def _twice(names: list[str]) -> str:
    return next(name for name in names if names.count(name) > 1)
