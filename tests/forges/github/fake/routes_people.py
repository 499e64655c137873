"""Who people are, and what they may do."""

from __future__ import annotations

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Json, Refused
from tests.forges.github.fake.server import Call, Reply, paged, route


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


def _hook(call: Call, number: int, said: Json) -> Json:
    config = {name: value for name, value in said["config"].items() if name != "secret"}
    return {
        "type": "Repository",
        "id": number,
        "name": "web",
        "active": said["active"],
        "events": said["events"],
        "config": config,
        "url": "x",
    }


@route("GET", "/repos/{owner}/{repo}/hooks", administration="admin")
def hooks(call: Call) -> Reply:
    return paged(call, call.repo.hooks)


@route("POST", "/repos/{owner}/{repo}/hooks", administration="admin")
def create_hook(call: Call) -> Reply:
    made = _hook(call, call.hub.number(), call.json)
    call.repo.hooks.append(made)
    return Reply(201, made)


@route("PATCH", "/repos/{owner}/{repo}/hooks/{hook}", administration="admin")
def edit_hook(call: Call) -> Reply:
    there = next(one for one in call.repo.hooks if str(one["id"]) == call.arguments["hook"])
    there |= _hook(call, there["id"], call.json)
    return Reply(200, there)


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", metadata="read")
def permission(call: Call) -> Reply:
    login = call.arguments["username"]
    if login not in call.hub.accounts:
        raise Refused(404, f"{login} is not a user")
    held = call.repo.may(login)
    plain = {"maintain": "write", "triage": "read"}.get(held, held)
    return Reply(200, {"permission": plain, "role_name": held, "user": answers.user(call.hub, login)})
