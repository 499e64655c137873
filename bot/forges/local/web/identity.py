"""Who is calling: basic or bearer tokens for Git and the API, a cookie for pages; loopback only."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select
from starlette.requests import Request

from bot.domain.model import rfc3339
from bot.forges.local import people
from bot.forges.local.ground import Ground
from bot.forges.local.people import NotAllowed, digest
from bot.forges.local.tables import ForgeSession, ForgeUser

COOKIE = "pointsman_forge"
SESSION = timedelta(hours=12)


class SignInNeeded(Exception):
    """No credentials, or wrong ones."""


def require_loopback(request: Request) -> None:
    """Pipelines run what is pushed, unprotected: nobody but this machine may push. Raises NotAllowed."""
    if request.client is None:
        return
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return  # an in-process client has a name instead of an address
    mapped = getattr(address, "ipv4_mapped", None)
    if not (mapped or address).is_loopback:
        raise NotAllowed("the embedded forge answers on this machine only")


def credentials(header: str) -> tuple[str | None, str] | None:
    """Login (None for bearer) and token of an `Authorization` header."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        login, colon, token = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (login, token) if colon else None


def caller(ground: Ground, request: Request) -> ForgeUser:
    """The user of a Git or API request. Raises NotAllowed, SignInNeeded."""
    require_loopback(request)
    given = credentials(request.headers.get("authorization", ""))
    if given is None:
        raise SignInNeeded
    login, token = given
    with ground.read() as session:
        user = people.authenticated(session, login, token)
    if user is None:
        raise SignInNeeded
    return user


@dataclass(frozen=True)
class Visitor:
    """A signed-in browser. Forms must send `csrf` back."""

    login: str
    csrf: str


def sign_in(ground: Ground, token: str) -> str | None:
    """The value of a new session's cookie, or None for a wrong token."""
    with ground.write() as session:
        user = people.authenticated(session, None, token)
        if user is None:
            return None
        for old in session.scalars(
            select(ForgeSession).where(col(ForgeSession.expires_at) < ground.moment())
        ):
            session.delete(old)
        cookie = secrets.token_urlsafe(32)
        expires = rfc3339(ground.now() + SESSION)
        csrf = secrets.token_urlsafe(32)
        session.add(ForgeSession(id_hash=digest(cookie), login=user.login, csrf=csrf, expires_at=expires))
        return cookie


def sign_out(ground: Ground, cookie: str) -> None:
    """End a session."""
    with ground.write() as session:
        if kept := session.get(ForgeSession, digest(cookie)):
            session.delete(kept)


def visitor(ground: Ground, request: Request) -> Visitor:
    """Whose browser it is. Raises NotAllowed, SignInNeeded."""
    require_loopback(request)
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise SignInNeeded
    with ground.read() as session:
        kept = session.get(ForgeSession, digest(cookie))
    if kept is None or kept.expires_at < ground.moment():
        raise SignInNeeded
    return Visitor(kept.login, kept.csrf)


def require_own_form(request: Request, who: Visitor, csrf: str) -> None:
    """Raise NotAllowed for a form that came from somewhere else."""
    if not hmac.compare_digest(who.csrf.encode(), csrf.encode(errors="replace")):
        raise NotAllowed("this form is not ours or is too old; open the page again")
    require_same_origin(request)


def require_same_origin(request: Request) -> None:
    """Raise NotAllowed when a browser says that the form was on another site."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise NotAllowed("this form was on another site")
