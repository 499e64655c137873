"""What `pointsman demo` promises: one document, evidence behind every line of it, and nothing left running."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.demo import run, steps
from bot.demo.story import Story, Told, claim

STEPS = [
    "start", "submit", "commit", "change", "pipeline", "blocked", "refused", "approved", "freeze-overridden", "merged",
    "staging", "production", "published", "rolled-back", "worker-killed", "verified", "tampering-found",
]  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")} | more


def cli(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        env=environment(**more), capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip


def processes_of(home: Path) -> list[str]:
    """Processes with the home in their command, environment or folder (all of them have one of the three)."""
    mine, found = str(home).encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            where = os.fsencode((process / "cwd").readlink())
        except OSError:
            continue  # it has ended, or is somebody else's
        if mine in seen or where.startswith(mine):
            found.append(f"{process.name}: {seen[:200]!r}")
    return found


@dataclass
class Shown:
    """One demo that has ended."""

    home: Path
    done: subprocess.CompletedProcess[str]

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.done.stdout))

    def ask(self, *arguments: str, database: Path | None = None) -> subprocess.CompletedProcess[str]:
        url = f"sqlite:///{database or self.home / 'pointsman.db'}"
        return cli(*arguments, POINTSMAN_HOME=str(self.home), POINTSMAN_DATABASE_URL=url)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    home = tmp_path_factory.mktemp("demo") / "home"
    yield Shown(home, cli("demo", "--once", "--output", "json", "--home", str(home)))
    shutil.rmtree(home, ignore_errors=True)


def test_it_succeeds_and_prints_one_document(shown: Shown, record_property: Any) -> None:
    assert shown.done.returncode == 0, shown.done.stderr
    document = shown.document
    record_property("demo_duration_s", document["duration_s"])

    assert set(document) == {"ok", "home", "traceId", "duration_s", "steps", "repositories", "database"}
    assert document["ok"] is True
    assert document["home"] == str(shown.home)
    assert [step["name"] for step in document["steps"]] == STEPS
    for step in document["steps"]:
        assert set(step) == {"name", "ok", "events", "detail"}
        assert step["ok"] is True, step
        assert step["detail"]["duration_s"] >= 0
    for line in shown.done.stdout.splitlines()[1:-1]:
        assert line.startswith(" "), "the document is all there is on standard output"


def test_every_event_that_it_names_is_in_its_database(shown: Shown) -> None:
    path = shown.document["database"].removeprefix("sqlite:///")
    assert Path(path).parent == shown.home
    assert not [name for name in (f"{path}-wal",) if Path(name).exists() and Path(name).stat().st_size]
    with sqlite3.connect(path) as connection:
        known = {row[0] for row in connection.execute("SELECT id FROM events")}
    named = [(step["name"], event) for step in shown.document["steps"] for event in step["events"]]
    assert {name for name, _ in named} == set(STEPS) - {"start", "verified", "tampering-found"}
    assert {event for _, event in named} <= known


def test_its_details_are_evidence(shown: Shown) -> None:
    detail = {step["name"]: step["detail"] for step in shown.document["steps"]}

    assert detail["submit"]["traceId"] == shown.document["traceId"]
    assert len(detail["commit"]["commit"]) == 40
    assert detail["change"]["change"] == 1
    assert set(detail["pipeline"]["jobs"].values()) == {"success"}
    assert set(detail["blocked"]["blockedBy"]) >= {"freeze", "approvals"}
    assert detail["blocked"]["checks"]["pointsman/release: production"] == "pending"
    assert detail["refused"]["reasonCode"] == "UnauthorizedApprover"
    assert {detail[name]["version"] for name in ("staging", "production")} == {"1.0.0"}
    assert detail["rolled-back"]["answers"] == "1.0.0"
    assert (detail["worker-killed"]["commits"], detail["worker-killed"]["changes"]) == (1, 1)
    assert detail["verified"]["ok"] is True
    assert detail["tampering-found"]["found"] == detail["tampering-found"]["flipped"]


def test_its_repository_has_the_trail_in_trailers(shown: Shown) -> None:
    ((name, path),) = shown.document["repositories"].items()
    assert name == "demo/platform"
    log = ["git", "-C", path, "log", "-1", "--format=%B", shown.document["steps"][2]["detail"]["commit"]]
    message = subprocess.run(log, capture_output=True, text=True, check=True).stdout
    parse = ["git", "interpret-trailers", "--parse"]
    printed = subprocess.run(parse, input=message, capture_output=True, text=True, check=True).stdout
    trailers = dict(line.split(": ", 1) for line in printed.splitlines())

    assert trailers["Trace-Id"] == shown.document["traceId"]
    assert {"Module-Id", "Version", "Agent-Id", "Changelog", "Effect-Id"} <= set(trailers)
    every = subprocess.run(["git", "-C", path, "fsck", "--full"], capture_output=True, text=True, check=False)
    assert every.returncode == 0, every.stderr


def test_its_log_verifies_until_a_byte_is_flipped(shown: Shown, tmp_path: Path) -> None:
    whole = shown.ask("trace", "verify", "--output", "json")
    assert (whole.returncode, json.loads(whole.stdout)["ok"]) == (0, True), whole.stdout
    copy = tmp_path / "copy.db"
    shutil.copy(shown.home / "pointsman.db", copy)
    trace, sequence = flip(copy)

    broken = shown.ask("trace", "verify", "--output", "json", database=copy)

    assert broken.returncode == 1
    report = json.loads(broken.stdout)
    assert (report["ok"], report["first_bad"]) == (False, {"traceId": trace, "sequence": sequence})


def flip(database: Path) -> tuple[str, int]:
    """Flip one bit in the file itself, in the body of an event: no trigger sees that."""
    with sqlite3.connect(database) as connection:
        trace, sequence, body = connection.execute(
            "SELECT trace_id, sequence, body FROM events WHERE type = 'ApprovalGranted' ORDER BY position"
        ).fetchone()
    content = bytearray(database.read_bytes())
    piece = bytes(body)[:200]
    at = content.find(piece)
    assert content.count(piece) >= 1
    while content[at : at + len(body)] != bytes(body):  # the inbox may have a copy that goes on differently
        at = content.find(piece, at + 1)
    content[at + 100] ^= 1
    database.write_bytes(bytes(content))
    return str(trace), int(sequence)


def test_its_trace_can_be_shown(shown: Shown) -> None:
    trace = shown.document["traceId"]

    told = shown.ask("trace", "show", trace, "--output", "json")

    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert set(document) == {"traceId", "events", "state"}
    assert document["traceId"] == trace
    assert [event["sequence"] for event in document["events"]] == list(range(1, len(document["events"]) + 1))
    assert {"id", "type", "time", "source", "tenantId", "traceId", "data"} <= set(document["events"][0])
    assert document["state"]["published"] is True


def test_nothing_keeps_running(shown: Shown) -> None:
    assert shown.done.returncode == 0
    assert processes_of(shown.home) == []


def test_without_keep_or_home_nothing_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(steps, "STEPS", steps.STEPS[:2])

    document = run.once(None, keep=False, narrate=lambda *_: None)

    assert document["ok"] is True, document
    assert [step["name"] for step in document["steps"]] == ["start", "submit", "commit"]
    assert Path(document["home"]).parent == tmp_path
    assert not Path(document["home"]).exists()
    assert processes_of(tmp_path) == []


def test_a_step_that_does_not_happen_ends_it_and_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(_story: Story) -> Told:
        claim(1 + 1 == 3, "one and one is three")
        raise AssertionError("not reached")

    monkeypatch.setattr(steps, "STEPS", (("never", never), *steps.STEPS))

    document = run.once(tmp_path / "home", keep=True, narrate=lambda *_: None)

    assert document["ok"] is False
    assert [(step["name"], step["ok"]) for step in document["steps"]] == [("start", True), ("never", False)]
    assert document["steps"][1]["detail"]["error"] == (
        "DidNotHappen: the demo's claim does not hold: one and one is three"
    )
    assert (tmp_path / "home" / "pointsman.db").exists()
    assert processes_of(tmp_path / "home") == []
