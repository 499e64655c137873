"""Who may do what: roles come from the policy, members from it and from the forge.

    roles:
      ProductOwner:   {users: [jane.doe], teams: [acme/product]}
      StudioApprover: {users: [sam], permissions: [override.freeze]}

The permissions of well-known roles are seed 003's; `permissions` adds to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, StrictBool

from bot.domain.payloads import Actor
from policies.facts import ReleaseFacts
from policies.schema import CLOSED, ONE_OR_MORE, Words

if TYPE_CHECKING:
    from policies.model import Policy


class Permission(StrEnum):
    """What one may do."""

    READ = "read"
    WRITE = "write"
    APPROVE_RELEASE = "approve.release"
    REJECT_RELEASE = "reject.release"
    OVERRIDE_FREEZE = "override.freeze"
    ROLLBACK = "rollback"
    DEPLOY = "deploy"
    RETRY = "retry"
    PROVISION = "provision"


SEEDED: dict[str, frozenset[Permission]] = {
    "ProductOwner": frozenset({Permission.APPROVE_RELEASE}),
    "ReleaseManager": frozenset({Permission.APPROVE_RELEASE, Permission.REJECT_RELEASE}),
    "StudioAdmin": frozenset({Permission.ROLLBACK}),
    "Deployer": frozenset({Permission.ROLLBACK, Permission.RETRY, Permission.DEPLOY}),
    "DevOpsEngineer": frozenset({Permission.ROLLBACK, Permission.RETRY}),
    "InfraAdmin": frozenset({Permission.PROVISION}),
    "CloudArchitect": frozenset({Permission.PROVISION}),
    "SecurityReviewer": frozenset(),
    "StudioApprover": frozenset(),
}
"""Seed 003, "RBAC Enforcement Scenarios" and "RBAC Enforced Escalation Roles".

Freezes need `override.freeze` by name.
"""

LEVELS = ("none", "read", "write", "maintain", "admin")
"""Permissions of forges, weakest first."""


class Role(BaseModel):
    """Members by login and by team; `environments` narrows it, empty means all."""

    model_config = CLOSED

    users: Annotated[Words, ONE_OR_MORE] = ()
    teams: Annotated[Words, ONE_OR_MORE] = ()
    permissions: tuple[Permission, ...] = ()
    environments: Words = ()


class Team(BaseModel):
    """A team that the policy makes, of people and of other teams.

    `of-forge`: the forge knows a team of this name too, and its members count as well.
    """

    model_config = CLOSED

    users: Annotated[Words, ONE_OR_MORE] = ()
    teams: Annotated[Words, ONE_OR_MORE] = ()
    of_forge: StrictBool = False


def same_person(one: str, other: str) -> bool:
    """Logins without their case: forges do not tell Jane from jane."""
    return one.casefold() == other.casefold()


def listed(login: str, logins: Iterable[str]) -> bool:
    """Whether a login is among others."""
    return any(same_person(login, other) for other in logins)


def member(policy: Policy, role: Role, login: str, actor: Actor | None) -> bool | None:
    """Whether somebody holds a role.

    None: the role has teams and the forge has not said anything of this person.
    """
    if listed(login, role.users):
        return True
    return in_teams(policy, role.teams, login, actor) if role.teams else False


def in_teams(policy: Policy, teams: Iterable[str], login: str, actor: Actor | None) -> bool | None:
    """Whether somebody is in one of the teams, or in a team inside one. None: only the forge could tell."""
    inner, people = _unfolded(policy, teams)
    if login.casefold() in {user.casefold() for user in people}:
        return True
    if not inner:
        return False
    return None if actor is None else any(team.casefold() in inner for team in actor.teams)


def everybody(policy: Policy, role: Role) -> dict[str, str] | None:
    """Everybody who could ever hold a role, by folded login; None: a team of the forge leaves it open."""
    inner, people = _unfolded(policy, role.teams)
    return None if inner else {login.casefold(): login for login in (*role.users, *people)}


def _unfolded(policy: Policy, teams: Iterable[str]) -> tuple[set[str], tuple[str, ...]]:
    """Folded names of the teams that only the forge knows, and the people whom the policy names."""
    if not policy.teams:
        return {team.casefold() for team in teams}, ()
    known = {name.casefold(): team for name, team in policy.teams.items()}
    forge, people, seen, waiting = set[str](), list[str](), set[str](), [team.casefold() for team in teams]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        team = known.get(name)
        if team is None or team.of_forge:
            forge.add(name)
        if team is not None:
            people += team.users
            waiting += [inner.casefold() for inner in team.teams]
    return forge, tuple(people)


def reaches(role: Role, environment: str | None) -> bool:
    """Whether a role means anything in an environment."""
    return not role.environments or environment in role.environments


def roles_of(policy: Policy, actor: Actor, environment: str | None = None) -> list[str]:
    """The roles somebody holds, in the policy's order; None: those that hold in every environment."""
    return [
        name
        for name, role in policy.roles.items()
        if reaches(role, environment) and member(policy, role, actor.login, actor)
    ]


def held_by(policy: Policy, facts: ReleaseFacts) -> list[str]:
    """The roles of a release's author in its environment; none of somebody whom the forge has not told."""
    author = facts.actor(facts.author) or Actor(login=facts.author)
    return [] if author.bot or not facts.author else roles_of(policy, author, facts.environment)


def grants(policy: Policy, role: str) -> frozenset[Permission]:
    """What a role allows."""
    return SEEDED.get(role, frozenset()) | frozenset(policy.roles[role].permissions)


def permissions_of(policy: Policy, actor: Actor, environment: str | None = None) -> frozenset[Permission]:
    """Everything somebody may do.

    Reading and writing are the forge's word, the rest the policy's; bots hold no role.
    """
    level = LEVELS.index(actor.permission)
    forge = {Permission.READ} if level >= LEVELS.index("read") else set()
    forge |= {Permission.WRITE} if level >= LEVELS.index("write") else set()
    held = [] if actor.bot else roles_of(policy, actor, environment)
    return frozenset(forge).union(*(grants(policy, role) for role in held))


def allowed(policy: Policy, actor: Actor, permission: Permission, environment: str | None = None) -> bool:
    """Whether somebody may do it there.

    Approving also follows from being named in the environment's `approvals`.
    """
    if permission in permissions_of(policy, actor, environment):
        return True
    if permission is not Permission.APPROVE_RELEASE or environment not in policy.environments or actor.bot:
        return False
    from policies.approving import seats

    return bool(seats(policy, actor, environment))


def holders(policy: Policy, permission: Permission, environment: str | None = None) -> tuple[str, ...]:
    """Who may do it, for people to read: logins, then teams."""
    able = [
        role
        for name, role in policy.roles.items()
        if permission in grants(policy, name) and reaches(role, environment)
    ]
    return members(able)


def members(roles: Iterable[Role]) -> tuple[str, ...]:
    """Logins, then teams, each once."""
    held = list(roles)
    users = [user for role in held for user in role.users]
    return tuple(dict.fromkeys([*users, *(f"team {team}" for role in held for team in role.teams)]))
