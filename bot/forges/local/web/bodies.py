"""What may be sent to the embedded forge's API; camelCase in JSON, absent fields have these defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.domain.effect import File
from bot.domain.model import Model
from bot.forges.local.merge import Method
from bot.forges.local.people import Permission
from bot.forges.local.protection import Rule

Text = Annotated[str, Field(max_length=64 * 1024)]
Title = Annotated[str, Field(min_length=1, max_length=500)]


class NewUser(Model):
    """`login` of a new user; the answer has the token, once."""

    login: Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$")]
    email: str = ""
    is_admin: bool = False


class NewRepository(Model):
    """Without `protection` the default branch is protected; `files` are its first commit."""

    name: str
    default_branch: str = "main"
    protection: tuple[Rule, ...] | None = None
    files: tuple[File, ...] = ()


class Membership(Model):
    """What a user may do in a repository; `none` takes the membership away."""

    permission: Permission


class Team(Model):
    """Who is in a team."""

    members: tuple[str, ...]


class NewChange(Model):
    """A change from one branch to another."""

    source: str
    target: str = ""
    title: Title
    body: Text = ""
    labels: tuple[str, ...] = ()


class ChangeEdit(Model):
    """Absent values stay."""

    title: Title | None = None
    body: Text | None = None
    state: Literal["open", "closed"] | None = None
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()


class CommentText(Model):
    """What a comment says."""

    body: Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class NewReview(Model):
    """`revision`: the head that was reviewed; refused when it is another by now."""

    state: Literal["approved", "changes_requested", "commented"]
    revision: str | None = None
    body: Text = ""


class NewMerge(Model):
    """`head`: the revision that shall be merged."""

    head: str
    method: Method = "squash"
    message: Text = ""


class NewCheck(Model):
    """What a tool says about a revision."""

    revision: str
    name: Title
    conclusion: Literal["success", "failure", "neutral"] | None = None
    title: Title
    summary: Text = ""
    url: str = ""


class NewRun(Model):
    """A pipeline once more, on a branch's head."""

    branch: str


class NewIssue(Model):
    """An issue to be opened."""

    title: Title
    body: Text = ""
    labels: tuple[str, ...] = ()


class IssueEdit(Model):
    """Close or reopen."""

    state: Literal["open", "closed"]
