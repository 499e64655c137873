"""What the embedded forge keeps beside a repository's code: releases, issues, environments.

Issues share their numbers with changes, so that `#12` is one thing in every text.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class ForgeRelease(SQLModel, table=True):
    """The page of a release. Its tag is Git's; `revision` the commit that the tag was on."""

    __tablename__ = "forge_releases"

    repository: str = Field(primary_key=True)
    tag: str = Field(primary_key=True)
    revision: str
    title: str
    notes: str = Field(default="", sa_type=Text)
    prerelease: bool = False
    author: str
    published_at: str
    updated_at: str


class ForgeIssue(SQLModel, table=True):
    """An issue: open or closed. `effect_id` is the effect that opened it, absent for a person's."""

    __tablename__ = "forge_issues"
    __table_args__: ClassVar[Any] = (UniqueConstraint("repository", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    repository: str
    number: int
    title: str
    body: str = Field(default="", sa_type=Text)
    labels: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    author: str
    state: str = "open"
    closed_by: int | None = None
    """The change whose merge closed it."""
    effect_id: str | None = Field(default=None, unique=True)
    created_at: str
    updated_at: str


class ForgeEnvironment(SQLModel, table=True):
    """Where a repository is deployed to; its variables reach the jobs that name it."""

    __tablename__ = "forge_environments"

    repository: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    variables: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    updated_at: str
