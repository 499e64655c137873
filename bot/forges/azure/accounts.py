"""Who people are: their identity, what they may do in a repository, their teams and groups.

Permissions are the access control lists of Git (security namespace `Git Repositories`): what is allowed to
somebody or to any of their groups, less what is denied to any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from bot.domain import payloads as p
from bot.forges.azure.client import Client
from bot.forges.azure.names import group
from bot.forges.azure.place import Place
from bot.messages import BOT

Permission = Literal["none", "read", "write", "maintain", "admin"]
NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
READ, CONTRIBUTE, EDIT_POLICIES, MANAGE = 2, 4, 2048, 8192
"""https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference"""
HELD: tuple[tuple[int, Permission], ...] = (
    (MANAGE, "admin"),
    (EDIT_POLICIES, "maintain"),
    (CONTRIBUTE, "write"),
    (READ, "read"),
)
AT_ONCE = 20
"""Descriptors in one address."""


def actors(place: Place, logins: Iterable[str]) -> dict[str, p.Actor]:
    """What is known of each login; of nobody's name, that nothing is allowed."""
    return {login: _actor(place, login) for login in logins}


def _actor(place: Place, login: str) -> p.Actor:
    unique = place.client.people.unique(login)
    identity = find(place.client, unique) if unique else None
    if identity is None:
        return p.Actor(login=login, bot=login == BOT)
    groups = tuple(identity.member_of or ())
    return p.Actor(
        login=login,
        permission=_permission(place, (identity.descriptor, *groups)),
        teams=tuple(sorted(_names(place.client, groups))),
        bot=login == BOT or "ServiceIdentity;" in identity.descriptor,
    )


def can_write(place: Place) -> bool:
    """Whether the bot itself may push."""
    found = place.client.security.has_permissions(
        security_namespace_id=NAMESPACE, permissions=CONTRIBUTE, tokens=_token(place)
    )
    return bool(found) and all(found)


def by_address(place: Place, addresses: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
    """The logins that e-mail addresses belong to, as far as somebody here has them. `known` are logins that
    need not be looked for: an account's unique name often is the address.
    """
    known = set(known)
    found = {}
    for address in set(addresses):
        if address in known:
            found[address] = address
            continue
        listed = place.client.identity.read_identities(search_filter="MailAddress", filter_value=address)
        fitting = [one for one in listed or () if _mail(one) == address]
        found[address] = place.client.people.login(unique_name(fitting[0])) if len(fitting) == 1 else address
    return found


def find(client: Client, unique: str) -> Any | None:
    """The one identity of that unique name. The search finds display names as well: they do not count."""
    listed = client.identity.read_identities(
        search_filter="General", filter_value=unique, query_membership="expanded"
    )
    wanted = unique.casefold()
    fitting = [one for one in listed or () if wanted in {unique_name(one).casefold(), _full(one).casefold()}]
    return fitting[0] if len(fitting) == 1 else None


def _property(identity: Any, name: str) -> str:
    value = (identity.properties or {}).get(name) or {}
    return str(value.get("$value") or "") if isinstance(value, dict) else str(value)


def unique_name(identity: Any) -> str:
    """The account of an identity, by which people are known."""
    return _property(identity, "Account")


def _full(identity: Any) -> str:
    return f"{_property(identity, 'Domain')}\\{unique_name(identity)}"


def _mail(identity: Any) -> str:
    return _property(identity, "Mail").casefold()


def _token(place: Place) -> str:
    return f"repoV2/{place.about.project.id}/{place.about.id}"


def _permission(place: Place, descriptors: tuple[str, ...]) -> Permission:
    allowed = denied = 0
    for some in _chunks(descriptors):
        listed = place.client.security.query_access_control_lists(
            security_namespace_id=NAMESPACE,
            token=_token(place),
            descriptors=",".join(some),
            include_extended_info=True,
            recurse=False,
        )
        for entry in (entry for one in listed or () for entry in (one.aces_dictionary or {}).values()):
            more = entry.extended_info
            allowed |= (entry.allow or 0) | ((more and more.effective_allow) or 0)
            denied |= (entry.deny or 0) | ((more and more.effective_deny) or 0)
    return next((name for bit, name in HELD if allowed & ~denied & bit), "none")


def _names(client: Client, descriptors: tuple[str, ...]) -> Iterator[str]:
    for some in _chunks(descriptors):
        for one in client.identity.read_identities(descriptors=",".join(some)) or ():
            if one:  # of a group that the bot may not see there is nothing
                yield group(one.provider_display_name or "")


def _chunks(descriptors: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(descriptors), AT_ONCE):
        yield descriptors[first : first + AT_ONCE]
