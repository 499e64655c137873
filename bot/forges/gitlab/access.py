"""Projects and branches as the bot sees them, and what it may do there."""

from __future__ import annotations

from bot.domain.errors import Permanent
from bot.forges.gitlab.client import Api, Json, project, segment

DEVELOPER = 30
PERMISSIONS = ((50, "admin"), (40, "maintain"), (30, "write"), (10, "read"))
"""https://docs.gitlab.com/user/permissions/: owner, maintainer, developer; guest, planner and reporter read.
"""


def permission(level: int) -> str:
    """An access level in our words."""
    return next((name for least, name in PERMISSIONS if level >= least), "none")


def level(known: Json) -> int:
    """The bot's own access level, of a project as GitLab tells it."""
    granted = (known.get("permissions") or {}).values()
    return max((int(one["access_level"]) for one in granted if one), default=0)


def get_project(api: Api, repository: str) -> Json:
    """The project. Raises Answered when there is none that the bot may see."""
    known: Json = api.get(project(repository))
    return known


def require_write(known: Json, api: Api) -> None:
    """Raise Permanent('NoWriteAccess') when the bot may not push to the project."""
    if level(known) < DEVELOPER:
        name = known["path_with_namespace"]
        raise Permanent("NoWriteAccess", f"{api.account.login} has no write permission in {name}")


def get_branch(api: Api, repository: str | int, name: str) -> Json | None:
    """A branch, or None."""
    found: Json | None = api.find(f"{project(str(repository))}/repository/branches/{segment(name)}")
    return found


def head_of(branch: Json | None) -> str | None:
    """The revision a branch is at."""
    return str(branch["commit"]["id"]) if branch else None
