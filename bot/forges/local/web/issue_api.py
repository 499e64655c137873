"""`/forge/api`: issues, releases, environments."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bot.forges.local import environments, issues, links, tags
from bot.forges.local.issues import Matter
from bot.forges.local.web import beside_json
from bot.forges.local.web.answers import ApiRoute
from bot.forges.local.web.bodies import IssueEdit, NewIssue
from bot.forges.local.web.calls import By, Repository

Json = dict[str, Any]
ROOT = "/repositories/{owner}/{name}"
ISSUES = ROOT + "/issues"
routes = APIRouter(prefix="/forge/api", route_class=ApiRoute, tags=["embedded forge"])


@routes.get(ISSUES)
def list_issues(by: By, repository: Repository, state: str = "") -> list[Json]:
    """All issues, the newest first; `state`: open or closed only."""
    by.may(repository, "read")
    with by.ground.read() as session:
        found = [one for one in links.all_of(session, repository) if state in {"", one.state}]
    return [beside_json.issue(by.ground, one) for one in found]


@routes.post(ISSUES, status_code=201)
def open_issue(by: By, repository: Repository, body: NewIssue) -> Json:
    """Open an issue."""
    by.may(repository, "read")
    matter = Matter(body.title, body.body, body.labels)
    issue, _ = issues.open_issue(by.ground, repository, matter, login=by.login)
    return beside_json.issue(by.ground, issue)


@routes.get(ISSUES + "/{number}")
def read_issue(by: By, repository: Repository, number: int) -> Json:
    """One issue."""
    by.may(repository, "read")
    with by.ground.read() as session:
        return beside_json.issue(by.ground, issues.get_issue(session, repository, number))


@routes.patch(ISSUES + "/{number}")
def edit_issue(by: By, repository: Repository, number: int, body: IssueEdit) -> Json:
    """Close or reopen an issue."""
    by.may(repository, "write")
    return beside_json.issue(by.ground, issues.set_state(by.ground, repository, number, body.state))


@routes.get(ROOT + "/releases")
def list_releases(by: By, repository: Repository) -> list[Json]:
    """The pages of releases, the newest first."""
    by.may(repository, "read")
    with by.ground.read() as session:
        return [beside_json.release(by.ground, page) for page in tags.all_of(session, repository)]


@routes.get(ROOT + "/environments")
def list_environments(by: By, repository: Repository) -> dict[str, dict[str, str]]:
    """Name of each environment -> its variables."""
    by.may(repository, "read")
    return environments.variables(by.ground, repository)
