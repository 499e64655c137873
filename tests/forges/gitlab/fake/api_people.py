"""Users, groups, members, projects, hooks, events, protected branches."""

from __future__ import annotations

from tests.forges.gitlab.fake import shapes
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, bad, missing, route
from tests.forges.gitlab.fake.state import MAINTAINER, Group, Hook, Json

WHO = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}


@route("GET", "/user")
def myself(call: Call) -> Json:
    return shapes.myself(call.state, call.user)


@route("GET", "/version")
def version(_call: Call) -> Json:
    return {"version": "18.9.0-ee", "revision": "abcdef"}


@route("GET", "/personal_access_tokens/self")
def own_token(call: Call) -> Json:
    token = next(one for one in call.state.tokens.values() if one.user is call.user)
    return {
        "id": 1,
        "name": "pointsman",
        "scopes": list(token.scopes),
        "active": True,
        "expires_at": token.expires_at,
    }


@route("GET", "/users")
def users(call: Call) -> Answer:
    found = list(call.state.users.values())
    if name := call.one("username"):
        found = [user for user in found if user.username.lower() == name.lower()]
    if search := call.one("search").lower():
        found = [
            user for user in found if search in {user.email.lower(), user.username.lower()} and not user.bot
        ]
    return call.page([shapes.user_basic(call.state, user) for user in found])


@route("GET", "/users/:id")
def user(call: Call) -> Json:
    found = call.state.users.get(int(call.path[1]) if call.path[1].isdecimal() else 0)
    if found is None:
        raise missing("User")
    return shapes.user(call.state, found)


@route("GET", "/projects")
def projects(call: Call) -> Answer:
    mine = [one for one in call.state.projects.values() if call.state.level(one, call.user)]
    after = call.one("last_activity_after")
    mine = [one for one in mine if not after or one.last_activity.isoformat() > after.replace("Z", "+00:00")]
    return call.page([shapes.project(call.state, one, call.user) for one in mine])


@route("GET", "/projects/:id")
def project(call: Call) -> Json:
    return shapes.project(call.state, call.project, call.user)


@route("GET", "/projects/:id/members/all/:user")
def member(call: Call) -> Json:
    found = call.state.users.get(int(call.path[4]))
    level = call.state.level(call.project, found) if found else 0
    if found is None or not level:
        raise missing("Not found")
    return shapes.member(call.state, found, level)


@route("GET", "/projects/:id/groups")
def project_groups(call: Call) -> Answer:
    parts = call.project.path.split("/")[:-1]
    above = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return call.page([shapes.group(group) for name, group in call.state.groups.items() if name in above])


def _group(call: Call) -> Group:
    group = call.state.groups.get(call.path[1])
    if group is None:
        raise missing("Group")
    return group


@route("GET", "/groups/:id/descendant_groups")
def below(call: Call) -> Answer:
    top = _group(call).full_path
    return call.page(
        [shapes.group(one) for name, one in call.state.groups.items() if name.startswith(f"{top}/")]
    )


@route("GET", "/groups/:id/members")
def group_members(call: Call) -> Answer:
    wanted = {int(one) for one in call.query.get("user_ids[]", [])}
    members = _group(call).members.items()
    listed = [(call.state.users[one], level) for one, level in members if not wanted or one in wanted]
    return call.page([shapes.member(call.state, user, level) for user, level in listed])


@route("GET", "/projects/:id/protected_branches")
def protected(call: Call) -> Answer:
    said = [
        {
            "id": index, "name": name, "push_access_levels": [{"id": index, "access_level": push, "access_level_description": WHO[push], "user_id": None}],
            "merge_access_levels": [{"id": index, "access_level": merge}], "allow_force_push": False,
        }
        for index, (name, (push, merge)) in enumerate(call.project.protected.items(), 1)
    ]  # fmt: skip
    return call.page(said)


@route("GET", "/projects/:id/events")
def events(call: Call) -> Answer:
    words = {"pushed": ("pushed", "created", "removed"), "commented": ("commented",)}[call.one("action")]
    found = [event for event in call.project.events if event["created_at"][:10] > call.one("after", "")]
    found = [event for event in found if event["action_name"].startswith(words)]
    if call.one("sort", "desc") == "desc":
        found.reverse()
    return call.page(found)


# Hooks


@route("GET", "/projects/:id/hooks")
def hooks(call: Call) -> Answer:
    call.require(MAINTAINER)
    return call.page([shapes.hook(call.project, hook) for hook in call.project.hooks])


@route("POST", "/projects/:id/hooks")
def add_hook(call: Call) -> Json:
    call.require(MAINTAINER)
    call.need("url")
    hook = Hook(call.state.next_id("hook"), call.body["url"])
    _set(hook, call.body)
    call.project.hooks.append(hook)
    return shapes.hook(call.project, hook)


def _hook(call: Call) -> Hook:
    call.require(MAINTAINER)
    found = next((hook for hook in call.project.hooks if str(hook.id) == call.path[3]), None)
    if found is None:
        raise missing("Hook")
    return found


def _set(hook: Hook, body: Json) -> None:
    if body.get("signing_token") and not str(body["signing_token"]).startswith("whsec_"):
        raise bad("signing_token is invalid")
    hook.url, hook.token = body.get("url", hook.url), body.get("token", hook.token)
    hook.signing_token = body.get("signing_token", hook.signing_token)
    hook.wanted |= {name: bool(value) for name, value in body.items() if name.endswith("_events")}


@route("PUT", "/projects/:id/hooks/:hook")
def change_hook(call: Call) -> Json:
    hook = _hook(call)
    _set(hook, call.body)
    return shapes.hook(call.project, hook)


@route("GET", "/projects/:id/hooks/:hook/events")
def hook_events(call: Call) -> Answer:
    """As `lib/api/hooks/events.rb`: at most 20 on a page, codes and three categories, the newest first."""
    kinds = {"client_failure": "4", "server_failure": "5", "successful": "2"}
    status = call.one("status")
    if not 1 <= int(call.one("per_page", "20")) <= 20:
        raise bad("per_page does not have a valid value")
    if status and status not in kinds and not status.isdecimal():
        raise bad("status does not have a valid value")
    found = [
        event
        for event in _hook(call).events
        if event["response_status"].startswith(kinds.get(status, status))
    ]
    return call.page(found[::-1])


@route("POST", "/projects/:id/hooks/:hook/test/:trigger")
def test_hook(call: Call) -> Json:
    hook = _hook(call)
    if hook.alert_status != "executable":
        raise Refuse(422, "the hook is disabled")
    return {"message": "201 Created"}
