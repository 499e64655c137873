"""`/forge/api`: repositories and people."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlmodel import col, select

from bot.forges.local import people, repositories
from bot.forges.local.ground import Ground
from bot.forges.local.people import NotAllowed
from bot.forges.local.tables import ForgeRepository
from bot.forges.local.web.answers import ApiRoute
from bot.forges.local.web.bodies import Membership, NewRepository, NewUser, Team
from bot.forges.local.web.calls import By, Repository

Json = dict[str, Any]
REPOSITORY = "/repositories/{owner}/{name}"
routes = APIRouter(prefix="/forge/api", route_class=ApiRoute, tags=["embedded forge"])


@routes.post("/users", status_code=201)
def create_user(by: By, body: NewUser) -> Json:
    """A user and the token, which is shown this once."""
    by.must_be_admin()
    token = people.create_user(by.ground, body.login, body.email, admin=body.is_admin)
    return {"login": body.login, "token": token}


@routes.get("/user")
def who_am_i(by: By) -> Json:
    """The user of the token."""
    with by.ground.read() as session:
        return {"login": by.login, "isAdmin": by.is_admin, "teams": people.teams(session, by.login)}


@routes.put("/teams/{org}/{team}")
def set_team(by: By, org: str, team: str, body: Team) -> Json:
    """Say who is in a team."""
    by.must_be_admin()
    with by.ground.write() as session:
        people.set_team(session, f"{org}/{team}", body.members)
    return {"team": f"{org}/{team}", "members": sorted(set(body.members))}


@routes.post("/repositories", status_code=201)
def create_repository(by: By, body: NewRepository) -> Json:
    """A repository; its maker may do everything there."""
    by.must_be_admin()
    repositories.create(
        by.ground,
        body.name,
        default_branch=body.default_branch,
        protection=body.protection,
        files=body.files,
        by=by.login,
    )
    return _repository_json(by.ground, body.name)


@routes.get("/repositories")
def list_repositories(by: By) -> list[Json]:
    """Those you may read."""
    with by.ground.read() as session:
        rows = session.scalars(select(ForgeRepository).order_by(col(ForgeRepository.name))).all()
        readable = [row.name for row in rows if people.permission(session, row.name, by.login) != "none"]
    return [_repository_json(by.ground, name) for name in readable]


@routes.get(REPOSITORY)
def get_repository(by: By, repository: Repository) -> Json:
    """One repository."""
    by.may(repository, "read")
    return _repository_json(by.ground, repository)


@routes.put(REPOSITORY + "/members/{login}")
def set_member(by: By, repository: Repository, login: str, body: Membership) -> Json:
    """Give a user a permission."""
    by.may(repository, "admin")
    with by.ground.write() as session:
        people.set_member(session, repository, login, body.permission)
    return {"login": login, "permission": body.permission}


@routes.put(REPOSITORY + "/protection")
def set_protection(by: By, repository: Repository, body: list[dict[str, Any]]) -> list[Json]:
    """Replace the rules of branch protection."""
    by.may(repository, "admin")
    return repositories.protect(by.ground, repository, body)


def _repository_json(ground: Ground, name: str) -> Json:
    with ground.read() as session:
        row = session.get(ForgeRepository, name)
    if row is None:
        raise NotAllowed(f"there is no repository {name!r}")
    base = ground.settings.base_url
    return {
        "name": row.name,
        "defaultBranch": row.default_branch,
        "protection": row.protection,
        "url": f"{base}/forge/{row.name}",
        "cloneUrl": f"{base}/git/{row.name}.git",
        "createdAt": row.created_at,
    }
