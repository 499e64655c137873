"""Environments and the variables of their scope (https://docs.gitlab.com/api/environments/,
https://docs.gitlab.com/api/project_level_variables/).
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.gitlab.client import Answered, Api, Json, project, segment

TAKEN = "already been taken"


def prepare_environment(
    api: Api, _effect_id: str, effect: e.PrepareEnvironment, _context: EffectContext
) -> e.Done:
    """The environment is there, and its variables have these values; other variables stay."""
    made = _find(api, effect) or _make(api, effect)
    if effect.variables:
        known = _variables(api, effect)
        for key, value in effect.variables.items():
            _set(api, effect, key, value, known)
    return e.Done(id=str(made["id"]), url=made.get("external_url") or "")


def _find(api: Api, effect: e.PrepareEnvironment) -> Json | None:
    listed = api.list(f"{project(effect.repository)}/environments", name=effect.environment)
    return next((one for one in listed if one["name"] == effect.environment), None)


def _make(api: Api, effect: e.PrepareEnvironment) -> Json:
    try:
        made: Json = api.post(f"{project(effect.repository)}/environments", name=effect.environment)
    except Answered as answer:
        there = _find(api, effect) if TAKEN in answer.said else None
        if there is None:
            said = f"GitLab does not take the environment {effect.environment!r}: {answer.said}"
            raise Permanent("InvalidEnvironment", said) from answer
        made = there
    return made


def _variables(api: Api, effect: e.PrepareEnvironment) -> dict[str, Json]:
    """Those whose scope is the environment itself, by key."""
    try:
        listed = list(api.list(f"{project(effect.repository)}/variables"))
    except Permanent as refused:
        raise _no_access(api, effect, refused) from refused
    return {one["key"]: one for one in listed if one["environment_scope"] == effect.environment}


def _set(api: Api, effect: e.PrepareEnvironment, key: str, value: str, known: Mapping[str, Json]) -> None:
    where, scope = f"{project(effect.repository)}/variables", effect.environment
    # Not expanded: a `$` in a value is a `$`. GitLab before 15.7 has no such switch and tells none.
    said = {"value": value, "raw": True}
    there = known.get(key)
    if there and (there["value"], there.get("raw", True)) == (value, True):
        return
    try:
        if there:
            # Keys of several scopes are told apart by the filter alone.
            api.put(f"{where}/{segment(key)}", filter={"environment_scope": scope}, **said)
        else:
            api.post(where, key=key, environment_scope=scope, **said)
    except Answered as answer:
        if not there and TAKEN in answer.said:
            raise Retryable(f"somebody else has just set the variable {key} of {scope}") from answer
        said_no = f"GitLab does not take the variable {key} of {scope}: {answer.said}"
        raise Permanent("InvalidVariable", said_no) from answer
    except Permanent as refused:
        raise _no_access(api, effect, refused) from refused


def _no_access(api: Api, effect: e.PrepareEnvironment, refused: Permanent) -> Permanent:
    if refused.reason_code != "Forbidden":
        return refused
    said = f"{api.account.login} may not set variables in {effect.repository}: give it the role Maintainer"
    return Permanent("NoVariableAccess", said)
