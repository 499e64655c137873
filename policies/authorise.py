"""`authorise`: the one place that says whether somebody may do something.

    authorise(asker, Needs(scope="read"))                                  what a token is for
    authorise(asker, Needs(level="write"))                                 what the forge grants
    authorise(asker, Needs(permission=Permission.DEPLOY), policy, "production")
    authorise(asker, Needs(role="Architect"), policy)                      a role by its name

Every door asks here: commands, routes, pages. What a person reads when it says no is the door's own sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.payloads import Actor
from policies import roles
from policies.roles import LEVELS, Permission

if TYPE_CHECKING:
    from policies.model import Policy

ADMIN = "admin"
"""The scope that stands for every other one but this:"""
ANYTHING = "events:any"


@dataclass(frozen=True)
class Asker:
    """Who asks: a token with scopes, or a person as the forge knows them, or both."""

    actor: Actor
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Needs:
    """What something takes: exactly one of these."""

    scope: str = ""
    level: str = ""
    """Of the forge's permissions: read, write, maintain or admin."""
    permission: Permission | None = None
    role: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.scope, self.level, self.permission, self.role))) != 1:
            raise TypeError(f"exactly one thing is needed, not {self}")


class Denied(Exception):
    """No. `able`: who could, for people to read."""

    def __init__(self, needs: Needs, able: tuple[str, ...] = ()) -> None:
        super().__init__(f"{needs} is not held")
        self.needs = needs
        self.able = able


def authorise(
    asker: Asker, needs: Needs, policy: Policy | None = None, environment: str | None = None
) -> None:
    """Raises Denied. Without a policy nobody holds a permission or a role."""
    if not _holds(asker, needs, policy, environment):
        raise Denied(needs, _able(needs, policy))


def may(asker: Asker, needs: Needs, policy: Policy | None = None, environment: str | None = None) -> bool:
    """Whether `authorise` says yes."""
    try:
        authorise(asker, needs, policy, environment)
    except Denied:
        return False
    return True


def _holds(asker: Asker, needs: Needs, policy: Policy | None, environment: str | None) -> bool:
    if needs.scope:
        return needs.scope in asker.scopes or (ADMIN in asker.scopes and needs.scope != ANYTHING)
    if needs.level:
        return LEVELS.index(asker.actor.permission) >= LEVELS.index(needs.level)
    if policy is None:
        return False
    if needs.role:
        return not asker.actor.bot and needs.role in roles.roles_of(policy, asker.actor, environment)
    assert needs.permission is not None
    return roles.allowed(policy, asker.actor, needs.permission, environment)


def _able(needs: Needs, policy: Policy | None) -> tuple[str, ...]:
    if policy is None:
        return ()
    if needs.role:
        return roles.members([policy.roles[needs.role]]) if needs.role in policy.roles else ()
    return roles.holders(policy, needs.permission) if needs.permission else ()
