"""What a served bot was told in secret is not its children's to know; its webhooks go where it listens."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

SEEN = """
import ctypes, json, os
from bot.app import keep_secrets
keep_secrets()
child = __import__("subprocess").run(["env"], capture_output=True, text=True).stdout
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(json.dumps({"dumpable": dumpable, "child": child, "own": dict(os.environ)}))
"""
SECRETS = {
    "POINTSMAN_LOCAL_WEBHOOK_SECRET": "first-kept-secret",
    "POINTSMAN_GITHUB_WEBHOOK_SECRET": "second-kept-secret",
    "POINTSMAN_TOKEN": "third-kept-secret",
    "POINTSMAN_DATABASE_URL": "postgresql://bot:fourth-kept-secret@db/pointsman",
}


@pytest.fixture(scope="module")
def seen() -> dict[str, object]:
    environment = {"PATH": os.environ["PATH"], "POINTSMAN_HOME": "somewhere"} | SECRETS
    done = subprocess.run(
        [sys.executable, "-c", SEEN], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_it_starts_inherits_no_secret_and_all_the_rest(seen: dict[str, object]) -> None:
    assert "kept-secret" not in str(seen)
    assert "POINTSMAN_HOME=somewhere" in str(seen["child"])


def test_its_own_user_can_not_read_what_it_was_started_with(seen: dict[str, object]) -> None:
    assert seen["dumpable"] == 0


def test_webhooks_go_where_it_listens_whatever_people_call_it(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    environment |= {"POINTSMAN_HOME": str(tmp_path / "home"), "POINTSMAN_BASE_URL": "http://127.0.0.1:9"}
    pointsman = str(Path(sys.executable).with_name("pointsman"))
    subprocess.run(
        [pointsman, "forge", "repository", "acme/shop"], env=environment, check=True, capture_output=True
    )
    with subprocess.Popen(
        [pointsman, "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["ready"] is True
            assert eventually_delivered(tmp_path / "home" / "pointsman.db")
        finally:
            process.terminate()


def eventually_delivered(database: Path) -> bool:
    for _ in range(200):
        with sqlite3.connect(database) as looked:
            answers = looked.execute("SELECT last_answer FROM forge_deliveries").fetchall()
        if answers == [("202",)]:
            return True
        time.sleep(0.1)
    return False
