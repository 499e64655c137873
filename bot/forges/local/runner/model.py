"""The part of `.gitlab-ci.yml` that the runner executes. A keyword that is no field here is an error.

    stages: [build, test]
    default: {before_script: [...], timeout: 10m}
    workflow: {rules: [{if: $CI_COMMIT_BRANCH}]}
    unit:
      stage: test
      needs: [{job: compile, artifacts: true}]
      rules: [{if: '$CI_COMMIT_TAG', when: never}, {when: on_success}]
      script: [make test]
      artifacts: {paths: [out/], reports: {junit: out/junit.xml}}

Meaning of every keyword: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)

from bot.forges.local.runner import changes, patterns, rules

MAX_SECONDS = 24 * 3600

JobWhen = Literal["on_success", "on_failure", "always", "manual"]
When = Literal["on_success", "on_failure", "always", "manual", "never"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+)\s*(s|m|h|d)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?)?\b\s*(?:and\b)?\s*")


def seconds(text: str) -> int:
    """`1h 30m`, `90 minutes`, `45 seconds` to whole seconds. Raises ValueError."""
    total = at = 0
    stripped = text.strip()
    for part in _DURATION.finditer(stripped):
        if part.start() != at:
            break
        total, at = total + int(part[1]) * _UNITS[part[2]], part.end()
    if at != len(stripped) or not 0 < total <= MAX_SECONDS:
        raise ValueError(
            f"`{text}` is not a duration between 1 second and 24 hours; write it like `10m` or `1h 30m`"
        )
    return total


def _as_seconds(value: object) -> object:
    return seconds(value) if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_text(value: object) -> object:
    if isinstance(value, bool | float) or value is None:
        raise ValueError("a variable is a text or a whole number; write the value in quotes")
    return str(value) if isinstance(value, int) else value


def _inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts or not path.strip():
        raise ValueError(
            f"`{path}` does not stay inside the project; write a path relative to it, without `..`"
        )
    if set(path) & set("?[]{}"):
        raise ValueError(
            f"`{path}` is a pattern that the embedded runner does not know; use only `*` and `**`"
        )
    return path


def _delimited(value: str) -> str:
    if len(value) < 3 or not (value.startswith("/") and value.endswith("/")):  # noqa: PLR2004 - two slashes and a character
        raise ValueError(f"`{value}` is not a pattern between slashes; write it like '/TOTAL.* (\\d+)%/'")
    patterns.check(value[1:-1])
    return value[1:-1]


def _readable(value: str) -> str:
    rules.read(value)
    return value


Lines = Annotated[tuple[StrictStr, ...], BeforeValidator(_as_list)]
Seconds = Annotated[int, BeforeValidator(_as_seconds)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Variables = dict[Name, Annotated[str, BeforeValidator(_as_text)]]
InsidePath = Annotated[str, AfterValidator(_inside)]
Paths = Annotated[tuple[InsidePath, ...], BeforeValidator(_as_list)]


class Keywords(BaseModel):
    """A mapping of the file: closed, and spelt as GitLab spells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Changes(Keywords):
    """`rules:changes`: patterns of paths, and what to compare with."""

    # GitLab takes no more: https://docs.gitlab.com/ci/yaml/#ruleschanges
    paths: Annotated[
        tuple[Annotated[StrictStr, AfterValidator(changes.check)], ...], Field(min_length=1, max_length=50)
    ]
    compare_to: StrictStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return {"paths": value} if isinstance(value, list) else value


class Rule(Keywords):
    """One entry of `rules`; the first whose `if` and `changes` hold decides."""

    if_: Annotated[str, AfterValidator(_readable)] | None = Field(default=None, alias="if")
    changes: Changes | None = None
    when: When | None = None
    allow_failure: StrictBool | None = None
    variables: Variables = {}


class WorkflowRule(Keywords):
    """One entry of `workflow:rules`: is there a pipeline at all."""

    if_: Annotated[str, AfterValidator(_readable)] | None = Field(default=None, alias="if")
    when: Literal["always", "never"] = "always"
    variables: Variables = {}


class Workflow(Keywords):
    """`workflow`, of which only `rules` is executed."""

    rules: tuple[WorkflowRule, ...]


class Need(Keywords):
    """One entry of `needs`: a job's name, or a mapping."""

    job: StrictStr
    artifacts: StrictBool = True
    optional: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"job": value} if isinstance(value, str) else value


class CoverageReport(Keywords):
    """Kept with the reports; not read by the runner."""

    coverage_format: Literal["cobertura", "jacoco"]
    path: InsidePath


class Reports(Keywords):
    """Files that are kept whatever the job's outcome and not handed to later jobs."""

    junit: Paths = ()
    coverage_report: CoverageReport | None = None
    cyclonedx: Paths = ()
    sast: Paths = ()
    dependency_scanning: Paths = ()
    container_scanning: Paths = ()
    secret_detection: Paths = ()
    codequality: Paths = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file named, as patterns relative to the project."""
        plain = (name for name in type(self).model_fields if name != "coverage_report")
        named = tuple(path for name in plain for path in getattr(self, name))
        return (*named, self.coverage_report.path) if self.coverage_report else named


class Artifacts(Keywords):
    """What a job hands to later ones: files, folders and `*`/`**` patterns relative to the project."""

    paths: Paths = ()
    reports: Reports = Reports()
    when: Literal["on_success", "on_failure", "always"] = "on_success"


class Image(Keywords):
    """Accepted and not used: jobs run in the machine's own shell, and the log says so."""

    name: StrictStr

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class NamedEnvironment(Keywords):
    """Where the job deploys to: it gets that environment's variables. `url` is accepted and not used."""

    name: Annotated[StrictStr, Field(min_length=1)]
    url: StrictStr = ""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class Retry(Keywords):
    """How many more times a failed job is tried."""

    max: Annotated[int, Field(strict=True, ge=0, le=2)] = 0

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: object) -> object:
        return {"max": value} if isinstance(value, int) else value


class Default(Keywords):
    """What a job has when it does not say otherwise."""

    before_script: Lines = ()
    after_script: Lines = ()
    artifacts: Artifacts | None = None
    timeout: Seconds | None = None
    retry: Retry = Retry()
    image: Image | None = None
    tags: tuple[StrictStr, ...] = ()
    interruptible: StrictBool = False


class Job(Default):
    """One job. `timeout` in seconds; `coverage` is the pattern without its slashes."""

    script: Annotated[Lines, Field(min_length=1)]
    stage: StrictStr = "test"
    needs: tuple[Need, ...] | None = None
    rules: tuple[Rule, ...] | None = None
    when: JobWhen = "on_success"
    variables: Variables = {}
    environment: NamedEnvironment | None = None
    allow_failure: StrictBool | None = None
    coverage: Annotated[str, AfterValidator(_delimited)] | None = None

    @property
    def failure_allowed(self) -> bool:
        """A job that waits for a person may fail unless it says otherwise; any other may not."""
        return self.when == "manual" if self.allow_failure is None else self.allow_failure


class Pipeline(Keywords):
    """A file that can be planned.

    `jobs` keeps the file's order; `places` gives each job's line and column, `origins` the included file of
    those that came with one.
    """

    stages: tuple[StrictStr, ...] = ("build", "test", "deploy")
    variables: Variables = {}
    default: Default = Default()
    workflow: Workflow | None = None
    jobs: dict[str, Job]
    places: dict[str, tuple[int, int]] = {}
    origins: dict[str, str] = {}

    @property
    def all_stages(self) -> tuple[str, ...]:
        """With GitLab's two stages that always exist."""
        return (".pre", *(stage for stage in self.stages if stage not in (".pre", ".post")), ".post")
