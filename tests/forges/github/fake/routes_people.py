"""Who people are, and what they may do."""

from __future__ import annotations

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Refused
from tests.forges.github.fake.server import Call, Reply, route


@route("GET", "/user")
def me(call: Call) -> Reply:
    return Reply(200, answers.user(call.hub, call.login))


@route("GET", "/repos/{owner}/{repo}", metadata="read")
def repository(call: Call) -> Reply:
    held = call.repo.may(call.login)
    rank = ["none", "read", "triage", "write", "maintain", "admin"].index(held)
    may = {
        name: rank >= least
        for name, least in (("pull", 1), ("triage", 2), ("push", 3), ("maintain", 4), ("admin", 5))
    }
    return Reply(200, answers.repository(call.repo) | {"permissions": may})


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", metadata="read")
def permission(call: Call) -> Reply:
    login = call.arguments["username"]
    if login not in call.hub.accounts:
        raise Refused(404, f"{login} is not a user")
    held = call.repo.may(login)
    plain = {"maintain": "write", "triage": "read"}.get(held, held)
    return Reply(200, {"permission": plain, "role_name": held, "user": answers.user(call.hub, login)})
