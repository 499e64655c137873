"""What the migrations make is what the models say, on both databases, from nothing and again."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

import bot.forges.local.beside
import bot.forges.local.tables
import bot.log.tables
import bot.projections.locks
import bot.projections.slots
import bot.projections.trace_keys  # noqa: F401 - imported for their tables
from bot.log import Store, current, upgrade


def _ours(_object: object, name: str | None, kind: str, *_more: object) -> bool:
    return kind != "table" or name in SQLModel.metadata.tables


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    assert current(database_url) is None
    upgrade(database_url)
    upgrade(database_url)
    assert current(database_url) is not None
    store = Store(database_url)
    with store.engine.connect() as connection:
        options = {"include_object": _ours, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []
    store.close()
