"""Who somebody is: permission, groups, and whose an e-mail address is.

Groups are the teams of policies, by full path (`acme/release`); only direct members count, as who owns a
group above is not meant when a policy names one. GitLab tells nobody but an administrator which groups a
person is in, so the groups are asked: those that the policy names, those the project lies in or is shared
with, and their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.domain import payloads as p
from bot.domain.errors import Permanent
from bot.forges.gitlab.access import permission
from bot.forges.gitlab.client import NOT_FOUND, Answered, Api, Json, project, segment
from bot.forges.gitlab.said import MACHINE
from bot.messages import BOT

NEIGHBOURS = 30
"""Groups below the top one that are asked although no policy names them."""
NOREPLY = re.compile(r"(\d+)-[^@]+@users\.noreply\..+")


def actors(api: Api, known: Json, logins: Iterable[str], policy: str | None) -> dict[str, p.Actor]:
    """Everybody asked about, by the name they were asked under."""
    users = {login: _user(api, login) for login in logins}
    ids = {user["id"]: login for login, user in users.items() if user}
    teams: dict[str, list[str]] = {login: [] for login in users}
    if ids:
        for group in _groups(api, known, policy):
            for member in _members(api, group, ids):
                teams[ids[member]].append(group)
    return {login: _actor(api, known, login, user, teams[login]) for login, user in users.items()}


def _user(api: Api, login: str) -> Json | None:
    if login == BOT:
        return api.myself
    return next(iter(api.list("/users", username=login)), None) if login else None


def _actor(api: Api, known: Json, login: str, user: Json | None, teams: list[str]) -> p.Actor:
    machine = bool(user and (login == BOT or user.get("bot") or MACHINE.fullmatch(login)))
    if user is None or user.get("state", "active") != "active":
        return p.Actor(login=login, bot=machine)
    member = api.find(f"{project(known['path_with_namespace'])}/members/all/{user['id']}")
    anybody = 0 if known.get("visibility", "private") == "private" else 10
    level = max(int(member["access_level"]) if member else 0, anybody)
    said = {"login": login, "permission": permission(level), "teams": tuple(sorted(teams)), "bot": machine}
    return p.Actor.model_validate(said)


def _groups(api: Api, known: Json, policy: str | None) -> list[str]:
    """Full paths, without repetition."""
    namespace = known.get("namespace") or {}
    if namespace.get("kind") != "group":
        return sorted(named_teams(policy))
    own = {
        group["full_path"]
        for group in _some(api, f"{project(known['path_with_namespace'])}/groups", with_shared="true")
    }
    top = str(namespace["full_path"]).partition("/")[0]
    below = [group["full_path"] for group in _some(api, f"/groups/{segment(top)}/descendant_groups")]
    near = set(below) if len(below) <= NEIGHBOURS else set()
    return sorted(named_teams(policy) | own | near)


def _some(api: Api, path: str, **query: str) -> list[Json]:
    """A list that the bot may not be allowed to see."""
    try:
        return list(islice(api.list(path, **query), NEIGHBOURS * 4))
    except Answered as answer:
        if answer.status != NOT_FOUND:
            raise
    except Permanent as refused:
        if refused.reason_code != "Forbidden":
            raise
    return []


def _members(api: Api, group: str, ids: dict[Any, str]) -> Iterator[Any]:
    wanted = {"user_ids[]": sorted(ids)}
    listed = _some(api, f"/groups/{segment(group)}/members", **wanted)  # type: ignore[arg-type]
    return (
        member["id"] for member in listed if member["id"] in ids and member.get("state", "active") == "active"
    )


def named_teams(policy: str | None) -> set[str]:
    """The values of `team` and `teams` anywhere in a policy. What is no YAML names nobody."""
    try:
        return set(_named(YAML(typ="safe", pure=True).load(policy or "")))
    except (YAMLError, ValueError, RecursionError):
        return set()


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"team", "teams"}:
                yield from (
                    text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)
                )
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


class Addresses:
    """E-mail addresses of commits -> logins. One that nobody shows in public stays an address."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, str] = {}

    def login(self, address: str) -> str:
        """The login, or the address itself in lower case."""
        address = address.lower()
        if address not in self._known:
            self._known[address] = self._look_up(address)
        return self._known[address]

    def _look_up(self, address: str) -> str:
        mine = {
            str(self._api.myself.get(key) or "").lower() for key in ("commit_email", "email", "public_email")
        }
        if address in mine - {""}:
            return BOT
        if noreply := NOREPLY.fullmatch(address):
            return self._name(self._api.find(f"/users/{noreply[1]}")) or address
        for found in islice(self._api.list("/users", search=address), 3):
            user = self._api.find(f"/users/{found['id']}") or {}
            if str(user.get("public_email") or "").lower() == address:
                return self._name(user) or address
        return address

    def _name(self, user: Json | None) -> str:
        name = str((user or {}).get("username") or "")
        return BOT if name == self._api.account.login else name
