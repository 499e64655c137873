"""Members, and projects that come, go or get another name (group and system hooks), in our words."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.forges.gitlab.said import Said
from bot.forges.port import RepositoryFact

MEMBERS = {"add_to": "added", "remove_from": "removed", "update_for": "changed"}


def member(said: Said) -> list[RepositoryFact]:
    """Somebody came into a group or project, or left it. The call names who it was, not who did it."""
    body = said.body
    action = next(ours for theirs, ours in MEMBERS.items() if f"user_{theirs}_" in str(body["event_name"]))
    repository = str(body.get("project_path_with_namespace") or "")
    changed = p.MembershipChanged.model_validate(
        {
            "scope": repository or body["group_path"],
            "member": said.person(str(body["user_username"])),
            "action": action,
            "repository": repository,
        }
    )
    return [_nobody(said).fact("MembershipChanged", changed)]


def renamed(said: Said) -> list[RepositoryFact]:
    """A project has another name, or lies in another group."""
    body = said.body
    moved = p.RepositoryRenamed(
        repository=body["path_with_namespace"], previous=body["old_path_with_namespace"]
    )
    return [_nobody(said).fact("RepositoryRenamed", moved)]


def project(said: Said) -> list[RepositoryFact]:
    """A project was made or deleted."""
    path = str(said.body["path_with_namespace"])
    side = "added" if said.body["event_name"] == "project_create" else "removed"
    changed = p.InstallationChanged.model_validate(
        {"account": path.rpartition("/")[0], "action": "changed", side: [path]}
    )
    return [_nobody(said).fact("InstallationChanged", changed)]


def _nobody(said: Said) -> Said:
    return Said({}, said.login)
