"""Where the bot lives, for commands that read it directly: settings and database, from `POINTSMAN_*`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.failure import Code, Failure

if TYPE_CHECKING:  # the database library takes longer to load than `--help` may take
    from sqlalchemy.orm import Session

    from bot.log.store import Store
    from bot.settings import Settings


def settings() -> Settings:
    """The settings of this process. A wrong one is reported by the name of its variable."""
    from bot import telemetry
    from bot.settings import Settings

    said = Settings()
    telemetry.hide(said.secret_values())
    return said


def at_home() -> Settings:
    """The same for commands that may make the home: what they write is their user's alone."""
    from bot.settings import keep_private

    said = settings()
    keep_private(said.home)
    return said


@contextmanager
def opened(*, create: bool = False) -> Iterator[Store]:
    """The database. A SQLite file is made only for whoever means to (`create`)."""
    from bot.log.store import Store

    url = settings().database
    if not create and url.startswith("sqlite"):
        _existing(url)
    store = Store(url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def reading() -> Iterator[Session]:
    """A session that sees one moment of an existing database and blocks nobody."""
    with opened() as store, store.read() as session:
        yield session


def _existing(url: str) -> None:
    from sqlalchemy import make_url

    database = make_url(url).database
    if database and not Path(database).is_file():
        raise Failure(
            f"There is no database at {database}. Set POINTSMAN_HOME or POINTSMAN_DATABASE_URL, "
            "or start with `pointsman serve`.",
            Code.FAILED,
            reason_code="DatabaseMissing",
        )
