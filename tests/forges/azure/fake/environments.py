"""Environments of Azure Pipelines, and groups of variables, which nothing ties to them."""

from __future__ import annotations

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import CONTRIBUTE, Failure, Json, guid, now


def _allowed(call: Request) -> None:
    if not call.allowed(CONTRIBUTE):
        raise Failure(403, "AccessDeniedException", "Access denied: the identity needs Create permissions.")


@answers("GET", "environments")
def environments(call: Request) -> Reply:
    """A name finds those that contain it."""
    wanted = call.query.get("name", "").casefold()
    found = [
        one
        for one in call.org.environments
        if wanted in one["name"].casefold()
        and one["project"]["id"] == guid(f"project:{call.route['project']}")
    ]
    return call.paged(found)


@answers("POST", "environments")
def add_environment(call: Request) -> Json:
    _allowed(call)
    said, project = call.body, {"id": guid(f"project:{call.route['project']}"), "name": call.route["project"]}
    if any(one["name"].casefold() == said["name"].casefold() for one in call.org.environments):
        raise Failure(409, "EnvironmentExistsException", f"Environment {said['name']} already exists.")
    made = {
        "id": call.org.number("environment"),
        "name": said["name"],
        "description": said.get("description", ""),
        "createdBy": told.person(call.by, call.org),
        "createdOn": now(),
        "lastModifiedBy": told.person(call.by, call.org),
        "lastModifiedOn": now(),
        "resources": [],
        "project": project,
    }
    call.org.environments.append(made)
    return made


@answers("GET", "variablegroups")
def groups(call: Request) -> Json | Reply:
    if "groupId" in call.route:
        found = call.org.groups_of_variables.get(int(call.route["groupId"]))
        if found is None:
            raise Failure(404, "VariableGroupNotFoundException", "The variable group was not found.")
        return _read(call, found)
    wanted = call.query.get("groupName")
    listed = [
        _read(call, one) | {"variableGroupProjectReferences": None}
        for one in call.org.groups_of_variables.values()
        if wanted in {None, one["name"]} and call.route["project"] in _projects(one)
    ]
    return call.paged(listed)


def _projects(group: Json) -> set[str]:
    return {one["projectReference"]["name"] for one in group["variableGroupProjectReferences"]}


def _who(call: Request, *, named: bool) -> Json:
    """The answer to a change names nobody; what is read afterwards does."""
    who = {"displayName": call.by.display if named else None, "id": call.by.id}
    return who | ({"uniqueName": call.by.unique} if named else {})


def _read(call: Request, group: Json) -> Json:
    who = _who(call, named=True)
    return _hiding(group) | {"createdBy": who, "modifiedBy": who}


def _hiding(group: Json) -> Json:
    """A secret's value is never told."""
    return group | {
        "variables": {
            name: {"value": None, "isSecret": True} if one.get("isSecret") else {"value": one["value"]}
            for name, one in group["variables"].items()
        }
    }


@answers("POST", "variablegroups")
def add_group(call: Request) -> Json:
    _allowed(call)
    said = call.body
    if any(
        one["name"].casefold() == said["name"].casefold() for one in call.org.groups_of_variables.values()
    ):
        raise Failure(409, "VariableGroupExistsException", f"Variable group {said['name']} already exists.")
    made = _group(call, call.org.number("variable group"), said, {})
    made |= {"createdBy": _who(call, named=False), "createdOn": now()}
    call.org.groups_of_variables[made["id"]] = made
    return _hiding(made)


def _group(call: Request, number: int, said: Json, before: Json) -> Json:
    if not said["variableGroupProjectReferences"] or not said["variables"]:
        raise Failure(400, "ArgumentException", "Value cannot be null or empty.")
    kept = before.get("variables", {})
    variables = {
        name: kept[name] if one.get("isSecret") and one.get("value") is None else one
        for name, one in said["variables"].items()
    }
    return {
        **before,
        "id": number,
        "type": said["type"],
        "name": said["name"],
        "description": said.get("description"),
        "variables": variables,
        "isShared": False,
        "variableGroupProjectReferences": said["variableGroupProjectReferences"],
        "modifiedBy": _who(call, named=False),
        "modifiedOn": now(),
    }


@answers("PUT", "variablegroups")
def update_group(call: Request) -> Json:
    """All of its variables are replaced; a secret without a value stays."""
    _allowed(call)
    number = int(call.route["groupId"])
    made = _group(call, number, call.body, call.org.groups_of_variables[number])
    call.org.groups_of_variables[number] = made
    return _hiding(made)
