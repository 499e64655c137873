"""Users, tokens, permissions, teams."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.domain.payloads import Actor
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.tables import ForgeMember, ForgeTeam, ForgeUser
from policies.authorise import Asker, Needs, may

Permission = Literal["none", "read", "write", "maintain", "admin"]
ORDER: tuple[Permission, ...] = ("none", "read", "write", "maintain", "admin")


class NotAllowed(Exception):
    """The user is known, and may not do this."""


class Taken(Exception):
    """The name exists already."""


def digest(token: str) -> str:
    """What is kept of a token. Tokens are random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def create_user(
    ground: Ground, login: str, email: str = "", *, admin: bool = False, token: str | None = None
) -> str:
    """Make a user and return the token, which is not kept. Raises Taken."""
    token = token or f"pmf_{secrets.token_urlsafe(32)}"
    with ground.write() as session:
        if session.get(ForgeUser, login) is not None:
            raise Taken(f"there is a user {login!r} already")
        session.add(
            ForgeUser(
                login=login,
                email=email or f"{login}@users.pointsman.invalid",
                token_hash=digest(token),
                is_admin=admin,
            )
        )
    return token


def ensure_bot(ground: Ground) -> None:
    """The bot's own account. Nobody signs in as it."""
    settings = ground.settings
    with ground.read() as session:
        if session.get(ForgeUser, settings.bot_login) is not None:
            return
    with suppress(IntegrityError), ground.write() as session:  # another process may be starting, too
        session.add(
            ForgeUser(login=settings.bot_login, email=settings.bot_email, name="Pointsman", is_bot=True)
        )


def authenticated(session: Session, login: str | None, token: str) -> ForgeUser | None:
    """The user of a token (and, for basic authentication, of that login). Compares in constant time."""
    given = digest(token)
    # Bearer tokens come without a login. Looking them up by their hash tells nothing about the token.
    by_hash = select(ForgeUser).where(ForgeUser.token_hash == given)
    found = session.get(ForgeUser, login) if login else session.scalars(by_hash).first()
    kept = found.token_hash if found else ""
    return found if hmac.compare_digest((kept or "-").encode(), given.encode()) else None


def permission(session: Session, repository: str, login: str) -> Permission:
    """What a login may do in a repository; admins of the forge may do everything."""
    user = session.get(ForgeUser, login)
    if user is None:
        return "none"
    if user.is_admin:
        return "admin"
    member = session.get(ForgeMember, (repository, login))
    return next((known for known in ORDER if member and known == member.permission), "none")


def at_least(held: Permission, wanted: Permission) -> bool:
    """Whether a permission includes another."""
    return ORDER.index(held) >= ORDER.index(wanted)


def require(session: Session, repository: str, login: str, wanted: Permission) -> None:
    """Raise Missing when the login may not even read, NotAllowed when it may not do more."""
    held = permission(session, repository, login)
    if held == "none":
        raise Missing(f"there is no repository {repository!r} that you may read")
    if not may(Asker(Actor(login=login, permission=held)), Needs(level=wanted)):
        raise NotAllowed(f"this needs {wanted} permission in {repository}; you have {held}")


def teams(session: Session, login: str) -> tuple[str, ...]:
    """The teams a login is in, sorted."""
    rows = session.scalars(select(ForgeTeam).where(ForgeTeam.login == login).order_by(col(ForgeTeam.team)))
    return tuple(row.team for row in rows)


def set_member(session: Session, repository: str, login: str, wanted: Permission) -> None:
    """Give a user a permission in a repository; `none` takes it away."""
    if session.get(ForgeUser, login) is None:
        raise Missing(f"there is no user {login!r}")
    row = session.get(ForgeMember, (repository, login))
    if wanted == "none":
        if row is not None:
            session.delete(row)
    else:
        session.merge(ForgeMember(repository=repository, login=login, permission=wanted))


def set_team(session: Session, team: str, logins: tuple[str, ...]) -> None:
    """Say who is in a team."""
    for row in session.scalars(select(ForgeTeam).where(ForgeTeam.team == team)):
        session.delete(row)
    session.flush()
    session.add_all(ForgeTeam(team=team, login=login) for login in sorted(set(logins)))


def by_address(session: Session) -> dict[str, str]:
    """E-mail address (lower case) -> login."""
    return {user.email.lower(): user.login for user in session.scalars(select(ForgeUser))}
