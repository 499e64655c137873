"""A real Postgres for tests, and a database of its own for each of them.

`POINTSMAN_TEST_POSTGRES_URL` names an installed server whose user may create databases; without it one is
started out of a wheel (see postgres_keeper.py). Nothing here skips: a test that gets no server errors.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
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
        """The URL of a fresh database copied from `template`; it is gone afterwards, whoever is connected."""
        name = f"pointsman_test_{uuid4().hex[:16]}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        finally:
            self._drop(name)

    def _run(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _drop(self, name: str) -> None:
        """Drop the database and those named after it, as a durable execution's `<name>_dbos_sys`."""
        with psycopg.connect(self.url) as connection:
            query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
            found = connection.execute(query, [name]).fetchall()
        for (database,) in found:
            self._run("DROP DATABASE {} WITH (FORCE)", database)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """The configured server, or one with `settings` (each `name=value`) that runs as long as the block."""
    if configured := os.environ.get("POINTSMAN_TEST_POSTGRES_URL"):
        yield Server(configured)
        return
    command = [sys.executable, str(KEEPER), *settings]
    # A session of its own: Ctrl-C must reach the tests first, the server when nobody is connected any more.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as keeper:
        assert keeper.stdout is not None
        url = keeper.stdout.readline().strip()
        if not url:
            raise RuntimeError("no Postgres for the tests; the reason is on standard error above")
        yield Server(url)
        # Leaving the block closes the pipe, which ends the server, and waits until it has ended.
