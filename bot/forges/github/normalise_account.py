"""Installations, memberships, repositories and release notes, in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from bot.domain import payloads as p
from bot.forges.github.said import Json, Said
from bot.forges.port import RepositoryFact

Installed = Literal["created", "deleted", "suspended", "unsuspended", "changed"]
Joined = Literal["added", "removed", "changed"]
Noted = Literal["published", "edited", "deleted"]
INSTALLED: dict[str, Installed] = {
    "created": "created",
    "deleted": "deleted",
    "suspend": "suspended",
    "unsuspend": "unsuspended",
    "new_permissions_accepted": "changed",
}
JOINED: dict[str, Joined] = {
    "added": "added",
    "edited": "changed",
    "removed": "removed",
    "member_added": "added",
    "member_removed": "removed",
}
NOTED: dict[str, Noted] = {
    "published": "published",
    "edited": "edited",
    "deleted": "deleted",
    "unpublished": "deleted",
}


def installation(said: Said) -> list[RepositoryFact]:
    """The App was installed, taken away, suspended, or got other permissions."""
    action = INSTALLED.get(said.action)
    return [_installed(said, action, said.json.get("repositories"), ())] if action else []


def installation_repositories(said: Said) -> list[RepositoryFact]:
    """The App may see more or fewer repositories."""
    added, removed = said.json.get("repositories_added"), said.json.get("repositories_removed")
    return [_installed(said, "changed", added, removed)]


def _installed(
    said: Said, action: Installed, added: list[Json] | None, removed: list[Json] | tuple[()] | None
) -> RepositoryFact:
    about = said.json["installation"]
    data = p.InstallationChanged(
        account=(about.get("account") or {}).get("login", ""),
        action=action,
        installation_id=str(about["id"]),
        added=tuple(repository["full_name"] for repository in added or ()) if action != "deleted" else (),
        removed=tuple(repository["full_name"] for repository in (removed or ())),
    )
    return said.fact("InstallationChanged", data)


def member(said: Said) -> list[RepositoryFact]:
    """Somebody became a collaborator, stopped being one, or may do more or less."""
    return _joined(said, "repository", said.json["member"])


def membership(said: Said) -> list[RepositoryFact]:
    """Somebody came into a team, or left it."""
    team = f"{said.json['organization']['login']}/{said.json['team'].get('slug', '')}"
    return _joined(said, team, said.json["member"])


def organization(said: Said) -> list[RepositoryFact]:
    """Somebody came into the organisation, or left it."""
    if said.action not in JOINED:
        return []
    return _joined(said, said.json["organization"]["login"], said.json["membership"].get("user"))


def _joined(said: Said, scope: str, who: Json | None) -> list[RepositoryFact]:
    action = JOINED.get(said.action)
    if action is None:
        return []
    data = p.MembershipChanged(
        scope=scope, member=said.person(who), action=action, repository=said.repository
    )
    return [said.fact("MembershipChanged", data)]


def repository(said: Said) -> list[RepositoryFact]:
    """A repository has another name, or another owner."""
    owner, _, name = said.repository.partition("/")
    changes = said.json.get("changes") or {}
    if said.action == "renamed":
        previous = f"{owner}/{changes['repository']['name']['from']}"
    elif said.action == "transferred":
        before = changes["owner"]["from"]
        previous = f"{(before.get('user') or before.get('organization') or {}).get('login', '')}/{name}"
    else:
        return []
    data = p.RepositoryRenamed(repository=said.repository, previous=previous)
    return [said.fact("RepositoryRenamed", data)]


def release(said: Said) -> list[RepositoryFact]:
    """Release notes. GitHub says `created` and `released` of the same ones as well."""
    action = NOTED.get(said.action)
    if action is None or said.by_us:
        return []
    note = said.json["release"]
    data = p.ReleaseNoted(
        repository=said.repository,
        tag=note["tag_name"],
        action=action,
        title=note.get("name") or "",
        url=note.get("html_url") or "",
    )
    return [said.fact("pointsman.ReleaseNoted", data)]


EVENTS: dict[str, Callable[[Said], list[RepositoryFact]]] = {
    "installation": installation,
    "installation_repositories": installation_repositories,
    "member": member,
    "membership": membership,
    "organization": organization,
    "repository": repository,
    "release": release,
}
