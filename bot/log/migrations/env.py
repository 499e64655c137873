"""What Alembic runs: migrations over the connection that bot/log/migrate.py opened."""

from alembic import context
from sqlmodel import SQLModel

import bot.forges.local.beside
import bot.forges.local.tables
import bot.log.tables
import bot.projections.locks
import bot.projections.slots
import bot.projections.trace_keys  # noqa: F401 - imported for their tables

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
context.run_migrations()
