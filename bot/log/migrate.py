"""`upgrade(url)` brings a database to this release's tables; `current(url)` names the revision it is at."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from bot.log.store import Store

SCRIPTS = Path(__file__).with_name("migrations")
LOCK = 0x706F696E74736D61
"""Advisory lock of Postgres: two processes that start together must not both create tables."""


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction."""
    store = Store(url)
    try:
        with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if not store.sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            command.upgrade(config(connection), revision)
    finally:
        store.close()


def current(url: str) -> str | None:
    """The revision of the database, None when it has no tables of ours."""
    store = Store(url)
    try:
        with store.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        store.close()


def config(connection: sa.Connection) -> Config:
    """Alembic's configuration for an open connection; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made
