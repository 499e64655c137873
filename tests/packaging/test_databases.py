"""The databases that tests run on are real, separate, and gone afterwards."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.support import postgres


def test_each_kind_of_database_answers(database_url: str) -> None:
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    with sqlalchemy.create_engine(url).begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE fact (id INTEGER PRIMARY KEY)"))
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM fact")).scalar_one() == 0


def test_databases_are_separate_and_dropped_with_connections_open(postgres_server: postgres.Server) -> None:
    with postgres_server.database() as first, postgres_server.database() as second:
        with psycopg.connect(first) as connection:
            connection.execute("CREATE TABLE fact (id int)")
        left_open = psycopg.connect(second)
        assert left_open.execute("SELECT to_regclass('fact')").fetchone() == (None,)
    left_open.close()
    for gone in (first, second):
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(gone)


def test_the_server_goes_when_the_tests_are_killed() -> None:
    script = """
import time
from tests.support import postgres
with postgres.server() as server:
    print(server.url, flush=True)
    time.sleep(600)
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)  # the user that Postgres runs as, when the tests run as root, has to pass
        command = [sys.executable, "-c", script]
        environment = {
            k: v for k, v in os.environ.items() if k != "POINTSMAN_TEST_POSTGRES_URL"
        }  # one of our own
        environment |= {"TMPDIR": name}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as tests:
            assert tests.stdout is not None
            url = tests.stdout.readline().strip()
            psycopg.connect(url).close()
            tests.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not list(folder.iterdir())
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
