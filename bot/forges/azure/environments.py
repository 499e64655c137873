"""`PrepareEnvironment`: an environment of Azure Pipelines, and a variable group for its variables.

Environments belong to a project and have no variables. What a pipeline of the repository reads is a group
named after both: `- group: booking.production`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain import effect as e
from bot.domain.errors import Permanent
from bot.forges.azure.names import environment_url
from bot.forges.azure.place import Place

PLAIN = "Vsts"
"""The kind of group whose values are kept in the group itself."""
BY = "Made by Pointsman"


def prepare_environment(place: Place, effect: e.PrepareEnvironment) -> e.Done:
    """Both are there, and the group has these variables. Raises Permanent('VariableIsSecret')."""
    name = effect.environment.strip()
    if not name or any(sign in name for sign in "/\\*"):
        raise Permanent("InvalidEnvironment", f"{name!r} cannot be the name of an environment")
    found = _environment(place, name)
    if effect.variables:
        _variables(place, group_of(place.repository.name, name), effect.variables)
    url = environment_url(place.client.organisation, place.repository.project, found.id)
    return e.Done(id=str(found.id), url=url)


def group_of(repository: str, environment: str) -> str:
    """The variable group of an environment, as a pipeline names it."""
    return f"{repository}.{environment}"


def _environment(place: Place, name: str) -> Any:
    project, agents = place.repository.project, place.client.agents
    listed = place.client.pages(agents.get_environments, project=project, name=name)
    found = next((one for one in listed if one.name.casefold() == name.casefold()), None)
    if found is None:
        wanted = place.client.model("task_agent", "EnvironmentCreateParameter", name=name, description=BY)
        found = agents.add_environment(environment_create_parameter=wanted, project=project)
    return found


def _variables(place: Place, name: str, variables: Mapping[str, str]) -> None:
    group = _group(place, name)
    if group is None:
        values = {key: _value(place, value) for key, value in variables.items()}
        place.client.agents.add_variable_group(variable_group_parameters=_said(place, name, values))
        return
    changed = _with(place, group, variables)
    if changed is not None:
        said = _said(place, name, changed, group)
        place.client.agents.update_variable_group(variable_group_parameters=said, group_id=group.id)


def _group(place: Place, name: str) -> Any | None:
    """With the projects that it is shared with, which a list leaves out. Raises Permanent('NotSupported')."""
    project, agents = place.repository.project, place.client.agents
    listed = place.client.pages(agents.get_variable_groups, project=project, group_name=name)
    found = next((one for one in listed if one.name.casefold() == name.casefold()), None)
    if found is None:
        return None
    if str(found.type) != PLAIN:
        raise Permanent("NotSupported", f"the variable group {name} is filled from elsewhere ({found.type})")
    return agents.get_variable_group(project=project, group_id=found.id)


def _with(place: Place, group: Any, variables: Mapping[str, str]) -> dict[str, Any] | None:
    """All of a group's variables with these among them; None when they are. Names differ by more than case.

    A secret's value is never told, and stays when none is given.
    """
    values = dict(group.variables or {})
    names = {name.casefold(): name for name in values}
    changed = False
    for key, value in variables.items():
        name = names.setdefault(key.casefold(), key)
        there = values.get(name)
        if there is not None and there.is_secret:
            raise Permanent(
                "VariableIsSecret", f"{name} is a secret in the variable group {group.name} and stays one"
            )
        if there is None or (there.value or "") != value:
            values[name], changed = _value(place, value), True
    return values if changed else None


def _value(place: Place, value: str) -> Any:
    return place.client.model("task_agent", "VariableValue", value=value, is_secret=False)


def _said(place: Place, name: str, values: Mapping[str, Any], group: Any | None = None) -> Any:
    about = place.about.project
    project = place.client.model("task_agent", "ProjectReference", id=about.id, name=about.name)
    here = place.client.model(
        "task_agent", "VariableGroupProjectReference", name=name, description=BY, project_reference=project
    )
    return place.client.model(
        "task_agent",
        "VariableGroupParameters",
        name=group.name if group else name,
        description=group.description if group else BY,
        type=PLAIN,
        variables=dict(values),
        variable_group_project_references=(group and group.variable_group_project_references) or [here],
    )
