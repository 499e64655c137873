"""When a pipeline begins, and on which of these occasions one of its jobs takes part."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bot.domain.model import Model
from bot.pipelines.model.words import Cron, Prose, RefName, RefPattern, VariableName, Word


class Occasions(Model):
    """Which events a job takes part in. Branches and tags by name, where `*` stands for anything but `/` and
    `**` for anything. A scheduled or manual run is neither a push to a branch nor one of a tag.
    """

    branches: tuple[RefPattern, ...] = ()
    changes: bool = False
    tags: tuple[RefPattern, ...] = ()
    scheduled: bool = False
    manual: bool = False

    @model_validator(mode="after")
    def _some(self) -> Occasions:
        if not (self.branches or self.changes or self.tags or self.scheduled or self.manual):
            raise ValueError("name at least one of branches, changes, tags, scheduled and manual")
        return self


class Schedule(Model):
    """A time table in UTC, five fields, for the head of a branch."""

    cron: Cron
    branch: RefName = "main"


class ManualInput(Model):
    """What a person chooses who starts a run by hand; commands find it in a variable of that name.

    Without a person it has its default.
    """

    kind: Literal["choice", "boolean", "text"]
    description: Prose = ""
    options: tuple[Word, ...] = ()
    default: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/@+-]*)?$", max_length=200)] = ""

    @model_validator(mode="after")
    def _chosen(self) -> ManualInput:
        known = {"choice": self.options, "boolean": ("true", "false"), "text": None}[self.kind]
        if self.kind != "choice" and self.options:
            raise ValueError(f"a {self.kind} has no options")
        if known is not None and self.default not in known:
            raise ValueError(f"the default {self.default!r} is none of {', '.join(known) or 'no options'}")
        return self


class Manual(Model):
    """A run started by a person."""

    inputs: dict[VariableName, ManualInput] = Field(default_factory=dict)


class Events(Model):
    """Which events begin the pipeline."""

    branches: tuple[RefPattern, ...] = ()
    changes: bool = False
    tags: tuple[RefPattern, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    manual: Manual | None = None

    @model_validator(mode="after")
    def _some(self) -> Events:
        if not (self.branches or self.changes or self.tags or self.schedules or self.manual):
            raise ValueError("name at least one of branches, changes, tags, schedules and manual")
        return self

    @property
    def occasions(self) -> Occasions:
        """All of them, as a job would name them."""
        return Occasions(
            branches=self.branches,
            changes=self.changes,
            tags=self.tags,
            scheduled=bool(self.schedules),
            manual=self.manual is not None,
        )

    @property
    def only_pushes(self) -> bool:
        """Whether a run of a branch can only come from a push to it."""
        return not self.schedules and self.manual is None
