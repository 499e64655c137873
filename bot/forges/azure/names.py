"""Names on Azure DevOps: repositories, refs, people, pages. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.domain.errors import Permanent
from bot.messages import BOT

FORGE = "azure"
ZERO = "0" * 40
HEADS, TAGS = "refs/heads/", "refs/tags/"
LIVE_ID = "windows live id\\"
"""Older events put this before the unique name of a Microsoft account, others name the account alone."""
MACHINES = ("build\\", "agentpool\\", "svc.", "aadsp.", "s2s.")
"""How unique names and descriptors of service accounts begin."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Repository:
    """`project/repository`, as the bot writes it."""

    project: str
    name: str

    @classmethod
    def of(cls, written: str) -> Repository:
        """Raises Permanent('NotFound') for what cannot be a repository of Azure DevOps."""
        project, slash, name = written.partition("/")
        if not (project and slash and name) or "/" in name:
            raise Permanent("NotFound", f"{written!r} is not project/repository")
        return cls(project, name)

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"


def branch_of(ref: str | None) -> str:
    """The branch of a full ref, or an empty text."""
    return ref.removeprefix(HEADS) if ref and ref.startswith(HEADS) else ""


@dataclass(frozen=True)
class People:
    r"""What people are called: the unique name in small letters; the bot by its own name.

    Unique names are e-mail addresses (or `domain\account` on a server). Display names are what anybody likes
    to be called, so they say nothing about who somebody is.
    """

    bot: str = ""
    """The bot's unique name."""

    def login(self, unique_name: str | None) -> str:
        plain = (unique_name or "").strip().casefold()
        plain = plain.removeprefix(LIVE_ID)
        if self.bot and plain == self.bot.casefold():
            return BOT
        return "" if plain == BOT else plain

    def of(self, identity: Json | None) -> str:
        """The login of an `IdentityRef`; of a group, `scope/name`."""
        if not identity:
            return ""
        if identity.get("isContainer"):
            return group(str(identity.get("displayName") or ""))
        return self.login(identity.get("uniqueName"))

    def is_bot(self, identity: Json | None) -> bool:
        """Whether this is a machine's account."""
        if not identity:
            return False
        names = [str(identity.get(key) or "").casefold() for key in ("uniqueName", "descriptor")]
        return self.of(identity) == BOT or any(name.startswith(MACHINES) for name in names)

    def unique(self, login: str) -> str:
        """The unique name that the forge knows a login by."""
        return self.bot if login == BOT else login


def group(display_name: str) -> str:
    r"""`[Fabrikam]\Release managers` as `Fabrikam/Release managers`."""
    found = re.fullmatch(r"\[([^\]]*)\]\\(.*)", display_name)
    return f"{found[1]}/{found[2]}" if found else display_name


def change_url(organisation: str, repository: Repository, number: int) -> str:
    """The page of a change."""
    return f"{_web(organisation, repository.project)}/_git/{quote(repository.name)}/pullrequest/{number}"


def run_url(organisation: str, project: str, number: int) -> str:
    """The page of a pipeline run."""
    return f"{_web(organisation, project)}/_build/results?buildId={number}"


def work_item_url(organisation: str, project: str, number: int) -> str:
    """The page of a work item."""
    return f"{_web(organisation, project)}/_workitems/edit/{number}"


def environment_url(organisation: str, project: str, number: int) -> str:
    """The page of an environment of Azure Pipelines."""
    return f"{_web(organisation, project)}/_environments/{number}"


def _web(organisation: str, project: str) -> str:
    return f"{organisation.rstrip('/')}/{quote(project)}"
