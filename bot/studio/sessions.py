"""Signing in to Studio.

A token or a one-time link is exchanged for a session in an HttpOnly, SameSite=Strict cookie.

A session is a token of its own, with the scopes of the one it came from, so that it can be listed,
revoked and runs out. The link carries its token behind `#`, which browsers do not send and servers do not
log; it is revoked when it is used.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from bot.intake import tokens
from bot.intake.problem import Problem
from bot.intake.tokens import Caller
from bot.log.tables import TOKENS
from policies.authorise import Needs, may

COOKIE = "pointsman_session"
LINK, SESSION = "studio link", "studio session"
LINK_DAYS = 10 / (24 * 60)
SESSION_HOURS = 12
STUDIO_SCOPES = ("read", "command")
NAME = r"[A-Za-z0-9._:@+%-]+"
OWN_PAGE = re.compile(rf"/(traces/{NAME}|releases/{NAME}(\?trace={NAME})?)?")


def link(
    session: Session,
    *,
    tenant: str,
    actor: str,
    base_url: str,
    scopes: tuple[str, ...] = STUDIO_SCOPES,
    to: str = "/",
) -> str:
    """An address that signs `actor` in once, within ten minutes, and then shows the page `to`."""
    token = tokens.create(session, tenant=tenant, actor=actor, name=LINK, scopes=scopes, days=LINK_DAYS)
    query = f"?to={quote(to, safe='/')}" if to != "/" else ""
    return f"{base_url}/sign-in{query}#{token}"


def destination(to: str) -> str:
    """A page of ours to go to after signing in; never another site."""
    return to if OWN_PAGE.fullmatch(to) else "/"


def begin(session: Session, token: str) -> str | None:
    """The secret of a new session for whoever holds `token`; None when that is not a valid token."""
    caller = tokens.identify(session, token)
    if caller is None or not may(caller.asker, Needs(scope="read")):
        return None
    once = session.execute(sa.select(TOKENS.c.name).where(TOKENS.c.id == caller.token_id)).scalar() == LINK
    if once and not tokens.revoke(session, caller.token_id):
        return None  # somebody else was quicker with the same link
    return tokens.create(
        session, tenant=caller.tenant, actor=caller.actor, name=SESSION, scopes=tuple(sorted(caller.scopes)),
        days=SESSION_HOURS / 24)  # fmt: skip


def end(session: Session, secret: str) -> None:
    """Sign out: the session's token is revoked."""
    caller = tokens.identify(session, secret)
    if caller is not None:
        tokens.revoke(session, caller.token_id)


def remember(response: Response, secret: str, *, secure: bool) -> None:
    """Put the session into the browser's cookie."""
    response.set_cookie(COOKIE, secret, max_age=SESSION_HOURS * 3600, **_attributes(secure=secure))


def forget(response: Response, *, secure: bool) -> None:
    """Take it out again."""
    response.delete_cookie(COOKIE, **_attributes(secure=secure))


def _attributes(*, secure: bool) -> dict[str, Any]:
    return {"httponly": True, "samesite": "strict", "secure": secure, "path": "/"}


def caller_of(session: Session, request: Request) -> Caller | None:
    """Who the browser is signed in as. Only sessions count: another token in the cookie is nobody."""
    caller = tokens.identify(session, request.cookies.get(COOKIE, ""))
    if caller is None:
        return None
    name = session.execute(sa.select(TOKENS.c.name).where(TOKENS.c.id == caller.token_id)).scalar()
    return caller if name == SESSION else None


def same_origin(request: Request) -> None:
    """Forms count only when a page of ours sent them. Raises Problem 403."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in {None, "same-origin", "none"}
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        foreign = True
    if foreign:
        raise Problem(403, "CrossSite", "This was sent by another site, so it is not done.")
