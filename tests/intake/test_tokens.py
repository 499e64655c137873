"""Tokens: shown once, kept as a hash, ended by date or by hand."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.intake import tokens
from bot.log import Store, upgrade


@pytest.fixture
def store(sqlite_url: str) -> Store:
    upgrade(sqlite_url)
    return Store(sqlite_url)


def test_a_token_identifies_its_caller_until_it_is_revoked(store: Store) -> None:
    with store.begin() as session:
        token = tokens.create(session, tenant="acme", actor="ada", name="laptop", scopes=("read", "command"))
    with store.begin() as session:
        caller = tokens.identify(session, token)
        assert caller is not None
        assert (caller.tenant, caller.actor, caller.scopes) == ("acme", "ada", {"read", "command"})
        assert tokens.revoke(session, caller.token_id) is True
        assert tokens.revoke(session, caller.token_id) is False
        assert tokens.identify(session, token) is None


def test_the_database_holds_no_token(store: Store) -> None:
    with store.begin() as session:
        token = tokens.create(session, tenant="acme", actor="ada")
        secret = token.split("_", 2)[2]
        row = session.execute(sa.text("SELECT * FROM api_token")).mappings().one()
        assert all(secret not in str(value) for value in row.values())
        (line,) = tokens.listed(session, "acme")
        assert "hash" not in line
        assert tokens.listed(session, "umbrella") == []


def test_an_expired_token_is_none(store: Store) -> None:
    with store.begin() as session:
        assert tokens.identify(session, tokens.create(session, tenant="t", actor="a", days=1)) is not None
        assert tokens.identify(session, tokens.create(session, tenant="t", actor="a", days=-1)) is None


def test_an_unknown_scope_is_refused(store: Store) -> None:
    with store.begin() as session, pytest.raises(ValueError, match="unknown scope 'root'"):
        tokens.create(session, tenant="t", actor="a", scopes=("root",))
