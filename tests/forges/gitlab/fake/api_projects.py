"""Projects made and changed, their protected branches, environments and variables."""

from __future__ import annotations

import re

from tests.forges.gitlab.fake import shapes
from tests.forges.gitlab.fake.deeds import person
from tests.forges.gitlab.fake.git import Repo
from tests.forges.gitlab.fake.server import Answer, Call, Refuse, bad, missing, route
from tests.forges.gitlab.fake.state import DEVELOPER, LEVELS, MAINTAINER, Json, Project

TAKEN = "has already been taken"
LONGEST_DESCRIPTION = 2000


@route("GET", "/namespaces/:id")
def namespace(call: Call) -> Json:
    group = call.state.groups.get(call.path[1])
    if group is None or call.user.id not in group.members:
        raise missing("Namespace")
    return {"id": group.id, "full_path": group.full_path, "kind": "group", "path": group.full_path}


@route("POST", "/projects")
def make_project(call: Call) -> Json:
    call.need("name")
    group = next((one for one in call.state.groups.values() if one.id == call.body.get("namespace_id")), None)
    if group is None:
        raise missing("Namespace")
    # By default developers of a group may make projects in it.
    if group.members.get(call.user.id, 0) < DEVELOPER:
        raise Refuse(403, "403 Forbidden")
    name = call.body.get("path") or call.body["name"]
    if not re.fullmatch(r"[a-zA-Z0-9_][\w.-]*", name, re.ASCII) or name.endswith((".git", ".atom", ".")):
        raise Refuse(400, {"path": ["can contain only letters, digits, '_', '-' and '.'."]})
    if len(call.body.get("description") or "") > LONGEST_DESCRIPTION:
        raise Refuse(400, {"description": ["is too long (maximum is 2000 characters)"]})
    path = f"{group.full_path}/{name}"
    if path in call.state.projects:
        raise Refuse(400, {"name": [TAKEN], "path": [TAKEN]})
    number = max((one.id for one in call.state.projects.values()), default=0) + 1
    made = Project(number, path, Repo.made(call.state.folder / f"{number}.git"), creator=call.user.id)
    made.description, made.visibility = (
        call.body.get("description") or "",
        call.body.get("visibility", "private"),
    )
    made.default_branch = call.body.get("default_branch") or "main"
    made.pipelines_must_succeed = bool(call.body.get("only_allow_merge_if_pipeline_succeeds"))
    made.members[call.user.id] = LEVELS["admin"]
    call.state.projects[path] = made
    if call.body.get("initialize_with_readme"):
        _first_commit(call, made)
    return shapes.project(call.state, made, call.user)


def _first_commit(call: Call, made: Project) -> None:
    with made.repo.index(None) as index:
        index.put("README.md", f"# {made.path.rpartition('/')[2]}\n".encode(), "100644")
        tree = index.tree()
    sha = made.repo.write(tree, [], "Initial commit", person(call.user))
    call.deeds.move(made, call.user, made.default_branch, sha)
    # The instance's default: maintainers push and merge.
    made.protected[made.default_branch] = (MAINTAINER, MAINTAINER)


@route("PUT", "/projects/:id")
def change_project(call: Call) -> Json:
    call.require(MAINTAINER)
    unknown = call.body.keys() - {"only_allow_merge_if_pipeline_succeeds", "description"}
    if unknown:
        raise bad(f"this stand-in does not know {sorted(unknown)}")
    call.project.pipelines_must_succeed = bool(
        call.body.get("only_allow_merge_if_pipeline_succeeds", call.project.pipelines_must_succeed)
    )
    return shapes.project(call.state, call.project, call.user)


@route("POST", "/projects/:id/protected_branches")
def protect(call: Call) -> Json:
    call.require(MAINTAINER)
    call.need("name")
    name = call.body["name"]
    if name in call.project.protected:
        raise Refuse(409, f"Protected branch '{name}' already exists")
    levels = tuple(int(call.body.get(f"{kind}_access_level", MAINTAINER)) for kind in ("push", "merge"))
    if not set(levels) <= {0, DEVELOPER, MAINTAINER}:
        raise bad("push_access_level does not have a valid value")
    call.project.protected[name] = (levels[0], levels[1])
    return {"id": 1, "name": name}


@route("DELETE", "/projects/:id/protected_branches/:name")
def unprotect(call: Call) -> Answer:
    call.require(MAINTAINER)
    if call.project.protected.pop(call.path[3], None) is None:
        raise missing("ProtectedBranch")
    return Answer(status=204)


# Environments


@route("GET", "/projects/:id/environments")
def environments(call: Call) -> Answer:
    wanted = call.one("name")
    return call.page([one for name, one in call.project.environments.items() if not wanted or name == wanted])


@route("POST", "/projects/:id/environments")
def make_environment(call: Call) -> Json:
    call.require(DEVELOPER)
    call.need("name")
    name = call.body["name"]
    if name in call.project.environments:
        raise Refuse(400, {"name": [TAKEN]})
    if not re.fullmatch(r"[a-zA-Z0-9_/\\${}. -]{1,255}", name) or name[0] == "/" or name[-1] == "/":
        raise Refuse(
            400, {"name": ["can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces"]}
        )
    url = call.body.get("external_url")
    return call.project.environments.setdefault(
        name, {"id": len(call.project.environments) + 1, "name": name, "slug": name, "external_url": url}
    )


# Variables


@route("GET", "/projects/:id/variables")
def variables(call: Call) -> Answer:
    call.require(MAINTAINER)
    return call.page(call.project.variables)


@route("POST", "/projects/:id/variables")
def make_variable(call: Call) -> Json:
    call.require(MAINTAINER)
    call.need("key")
    key, scope = call.body["key"], call.body.get("environment_scope", "*")
    if not re.fullmatch(r"\w{1,255}", key, re.ASCII):
        raise Refuse(400, {"key": ["can contain only letters, digits and '_'."]})
    if any((one["key"], one["environment_scope"]) == (key, scope) for one in call.project.variables):
        raise Refuse(400, {"key": [f"({key}) {TAKEN}"]})
    made = {
        "variable_type": "env_var", "key": key, "value": call.body["value"], "protected": False, "masked": False,
        "hidden": False, "raw": bool(call.body.get("raw")), "environment_scope": scope, "description": None,
    }  # fmt: skip
    call.project.variables.append(made)
    return made


@route("PUT", "/projects/:id/variables/:key")
def change_variable(call: Call) -> Json:
    call.require(MAINTAINER)
    scope = (call.body.get("filter") or {}).get("environment_scope")
    found = [one for one in call.project.variables if one["key"] == call.path[3]]
    found = [one for one in found if scope in {None, one["environment_scope"]}]
    if len(found) > 1:
        raise Refuse(
            409,
            "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'",
        )
    if not found:
        raise missing("Variable")
    found[0] |= {name: call.body[name] for name in ("value", "raw") if name in call.body}
    return found[0]
