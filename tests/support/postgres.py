"""A real Postgres for tests, and a database of its own for each of them.

`POINTSMAN_TEST_POSTGRES_URL` names an installed server whose user may create databases; without it one is started out of
a wheel (see postgres_keeper.py). Nothing here skips: a test that cannot have its server errors.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

KEEPER = Path(__file__).with_name("postgres_keeper.py")
# Tests kill our processes, never the machine, so the server need not wait for the disk.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Server:
    """A server by the URL of its maintenance database."""

    url: str

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a fresh database copied from `template` (a name); it is gone afterwards, whoever is connected."""
        name = f"pointsman_test_{uuid4().hex[:16]}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._run(create)
        try:
            yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        finally:
            self._drop(name)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def _drop(self, name: str) -> None:
        """Drop the database and those named after it, such as a durable-execution library's `<name>_dbos_sys`."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
            for (database,) in found.fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """The configured server, or one started for the length of the block with `settings` (each `name=value`)."""
    if configured := os.environ.get("POINTSMAN_TEST_POSTGRES_URL"):
        yield Server(configured)
        return
    command = [sys.executable, KEEPER, *settings]
    # A session of its own: Ctrl-C must reach the tests first, and the server when they have closed their connections.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as keeper:
        assert keeper.stdout is not None
        url = keeper.stdout.readline().strip()
        if not url:
            raise RuntimeError("no Postgres for the tests; the reason is on standard error above")
        yield Server(url)
        # Leaving the block closes the pipe, which ends the server, and waits until it has ended.
