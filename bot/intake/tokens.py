"""Bearer tokens: `pm_<id>_<secret>`.

The database keeps a hash; the token itself is shown once, when it is made.

The secret has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that a slow hash would
protect.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.requests import Request

from bot.domain.model import rfc3339
from bot.domain.payloads import Actor
from bot.intake.arrivals import now
from bot.intake.problem import Problem
from bot.log.store import Store
from bot.log.tables import TOKENS
from policies.authorise import Asker, Denied, Needs, authorise

SHAPE = re.compile(r"pm_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
SCOPES = {
    "events:write": "send facts that agents and planning may state",
    "evidence:write": "hand in reports about revisions: tests, coverage, findings, parts, signatures",
    "events:any": "send every type of fact, decisions among them, on behalf of anybody",
    "read": "read traces, releases and policies of the tenant",
    "command": "say commands; roles still decide what they may do",
    "admin": "tokens, quarantine, settings of the tenant",
}
DEFAULT_SCOPES = ("events:write", "read", "command")
OF_AGENT = re.compile(r"agent:(?P<agent>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
"""The scope of one agent: state how tasks given to it have ended, nothing else (bot/intake/agents.py)."""
BESIDE_AGENT = frozenset({"read"})


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for."""

    token_id: str
    tenant: str
    actor: str
    scopes: frozenset[str]

    @property
    def asker(self) -> Asker:
        """As `authorise` knows it: what the forge says of the person is not known here."""
        return Asker(Actor(login=self.actor), self.scopes)

    @property
    def agent(self) -> str | None:
        """The one agent it speaks for; None for people and for what may state facts of any kind."""
        found = (OF_AGENT.fullmatch(scope) for scope in self.scopes)
        return next((match["agent"] for match in found if match), None)


def create(
    session: Session,
    *,
    tenant: str,
    actor: str,
    name: str = "",
    scopes: tuple[str, ...] = DEFAULT_SCOPES,
    days: float | None = None,
) -> str:
    """Make a token and return it, for the only time. Raises ValueError for scopes that can not be meant."""
    agents = {scope for scope in scopes if OF_AGENT.fullmatch(scope)}
    unknown = sorted(set(scopes) - SCOPES.keys() - agents)
    if unknown:
        raise ValueError(f"unknown scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    if agents and (len(agents) > 1 or set(scopes) - agents - BESIDE_AGENT):
        raise ValueError("a token of one agent may have the scope 'read' beside it, and no other")
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    expires = rfc3339(datetime.fromisoformat(now()) + timedelta(days=days)) if days is not None else None
    values = {
        "id": token_id, "name": name, "hash": _hash(secret), "tenant": tenant, "actor": actor,
        "scopes": " ".join(sorted(scopes)), "created_at": now(), "expires_at": expires,
    }  # fmt: skip
    session.execute(sa.insert(TOKENS), values)
    return f"pm_{token_id}_{secret}"


def listed(session: Session, tenant: str | None = None) -> list[dict[str, Any]]:
    """All tokens, without their hashes."""
    query = sa.select(*(column for column in TOKENS.c if column.name != "hash")).order_by(
        TOKENS.c.created_at, TOKENS.c.id
    )
    if tenant is not None:
        query = query.where(TOKENS.c.tenant == tenant)
    return [dict(row) for row in session.execute(query).mappings()]


def revoke(session: Session, token_id: str) -> bool:
    """End a token now. False when there is none of that id, or it has ended already."""
    ended = (
        sa.update(TOKENS)
        .where(TOKENS.c.id == token_id, TOKENS.c.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    return bool(session.execute(ended).rowcount)  # type: ignore[attr-defined]


def identify(session: Session, token: str) -> Caller | None:
    """Whose token this is; None for anything that is not a valid token. Compares in constant time."""
    shape = SHAPE.fullmatch(token)
    row = session.execute(sa.select(TOKENS).where(TOKENS.c.id == shape.group(1))).first() if shape else None
    # Compared even when there is no such token, so that the time taken does not tell.
    expected = row.hash if row is not None else _hash("")
    same = hmac.compare_digest(expected, _hash(shape.group(2) if shape else "-"))
    if row is None or not same or row.revoked_at or (row.expires_at and row.expires_at <= now()):
        return None
    return Caller(row.id, row.tenant, row.actor, frozenset(row.scopes.split()))


def require(store: Store, request: Request, scope: str, *, agents: bool = False) -> Caller:
    """The caller of a request. Raises Problem(401) without a valid token, Problem(403) without the scope.

    `agents`: tokens of one agent are let in as well; what they may say is checked after this.
    """
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    caller = None
    if scheme.lower() == "bearer":
        with store.read() as session:
            caller = identify(session, token.strip())
    if caller is None:
        raise Problem(
            401, "Unauthenticated", "a valid bearer token is needed", headers={"WWW-Authenticate": "Bearer"}
        )
    if not (agents and caller.agent is not None):
        check_scope(caller, scope)
    return caller


def check_scope(caller: Caller, scope: str) -> None:
    """Raises Problem(403) for a token that is not for this."""
    try:
        authorise(caller.asker, Needs(scope=scope))
    except Denied:
        raise Problem(403, "ScopeMissing", f"the token lacks the scope {scope!r}") from None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
