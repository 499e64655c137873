"""A whole pipeline: jobs that fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from bot.domain.model import Model
from bot.pipelines import metadata
from bot.pipelines.model.events import Events
from bot.pipelines.model.job import Job
from bot.pipelines.model.words import STAGES, JobName, ModulePath, Stage, Variables, Word


class Vault(Model):
    """The vault of the tenant, and the service connection by which Azure Pipelines reads it."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$")]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", max_length=100)]


class Pipeline(Model):
    """A whole pipeline, with the template it came from. Of which trace a build is, it reads from its commit.

    `also` are other folders whose changes concern the module. Jobs of other editions than `edition` are left
    out as it is read. Raises ValueError (pydantic's) when jobs do not fit together.
    """

    name: JobName
    module: JobName
    path: ModulePath = "."
    also: tuple[ModulePath, ...] = ()
    template: str
    template_version: str
    on: Events
    edition: Word | None = None
    vault: Vault | None = None
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
        """The jobs that `job` waits for: those it needs, else all of earlier stages.

        One that looks for failures looks at all that stands behind those too: systems differ in whether a job
        that was skipped for a failure counts as one.
        """
        found = {other.name for other in self._directly_before(job)}
        if job.when != "success":
            for other in reversed(self.jobs):
                if other.name in found:
                    found |= {behind.name for behind in self._directly_before(other)}
        return tuple(other for other in self.jobs if other.name in found)

    def _directly_before(self, job: Job) -> tuple[Job, ...]:
        if job.needs is not None:
            return tuple(other for other in self.jobs if other.name in job.needs)
        at = STAGES.index(job.stage)
        return tuple(o for o in self.jobs if o.when == "success" and STAGES.index(o.stage) < at)

    def constants(self, job: Job) -> dict[str, str]:
        """The variables of a job that the file itself says; the job's own go before the pipeline's."""
        edition = {"editionId": self.edition} if self.edition else {}
        return {**self.variables, **job.variables, "moduleId": self.module, **edition}

    @model_validator(mode="before")
    @classmethod
    def _of_the_edition(cls, data: Any) -> Any:
        """Without what other editions have; whoever needs it, needs it no more."""
        if not isinstance(data, Mapping) or not isinstance(data.get("jobs"), list | tuple):
            return data
        jobs = [job for job in data["jobs"] if isinstance(job, Mapping)]
        gone = {job.get("name"): job for job in jobs if _of_others(job, data.get("edition"))}
        if not gone or len(jobs) < len(data["jobs"]):
            return data
        kept = [_without(job, gone) for job in jobs if job.get("name") not in gone]
        return {**data, "jobs": kept}

    @model_validator(mode="after")
    def _fits_together(self) -> Pipeline:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        twice = [name for name, count in Counter(job.name for job in self.jobs).items() if count > 1]
        if twice:
            yield f"two jobs are called {twice[0]}"
        stages: dict[str, Stage] = {}
        for job in self.jobs:
            yield from self._faulty_needs(job, stages)
            yield from self._faulty_occasions(job)
            if job.editions and self.edition is None:
                yield f"job {job.name} is for {', '.join(job.editions)}, and the pipeline names no edition"
            stages[job.name] = job.stage
        yield from self._faulty_names()

    def _faulty_needs(self, job: Job, before: Mapping[str, Stage]) -> Iterator[str]:
        """Needing only what stands before makes circles impossible, in every CI system."""
        ends = {other.name for other in self.jobs if other.when != "success"}
        for need in job.needs or ():
            if need not in before:
                yield f"job {job.name} needs {need}, which does not stand before it"
            elif STAGES.index(before[need]) > STAGES.index(job.stage):
                yield f"job {job.name} needs {need}, which is in a later stage"
            elif need in ends:
                yield f"job {job.name} needs {need}, which looks at failures: nothing follows such a job"

    def _faulty_occasions(self, job: Job) -> Iterator[str]:
        if job.on is not None and job.on.scheduled and not self.on.schedules:
            yield f"job {job.name} is for scheduled runs, and the pipeline has no schedule"
        if job.on is not None and job.on.manual and self.on.manual is None:
            yield f"job {job.name} is for manual runs, and the pipeline has none"
        if job.when == "failure" and not self.before(job):
            yield f"job {job.name} is for a failure, and waits for no job that could fail"

    def _faulty_names(self) -> Iterator[str]:
        """A person's choice goes into a variable too, so no other may have its name."""
        inputs = set(self.on.manual.inputs) if self.on.manual else set()
        given = [
            *self.variables,
            *(name for job in self.jobs for name in (*job.variables, *job.secrets, *job.matrix)),
        ]
        own = {*metadata.NAMES, "editionId", "IDENTITY_TOKEN"} & {*given, *inputs}
        if own:
            yield f"the variable {min(own)} is the trace's own"
        if inputs & set(given):
            yield f"the variable {min(inputs & set(given))} is an input of manual runs"
        for job in self.jobs:
            clash = set(self.variables) & {*job.secrets, *job.matrix}
            if clash:
                yield f"job {job.name}: {min(clash)} is a variable of the pipeline already"


def _of_others(job: Mapping[str, Any], edition: object) -> bool:
    return bool(job.get("editions")) and edition is not None and edition not in job["editions"]


def _without(job: Mapping[str, Any], gone: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    """Who needs a job that is gone needs what that one needed, so nothing runs earlier than it did."""
    needs = job.get("needs")
    while isinstance(needs, list | tuple) and gone.keys() & set(needs):
        left = next(need for need in needs if need in gone)
        instead = gone[left].get("needs")
        if instead is None:
            return {name: value for name, value in job.items() if name != "needs"}
        needs = list(dict.fromkeys([need for need in needs if need != left] + list(instead)))
    return {**job, "needs": needs} if "needs" in job else dict(job)
