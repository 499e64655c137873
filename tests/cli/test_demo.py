"""`pointsman demo` where it can not be shown: one sentence, and the document all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.demo import run


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_folder_that_is_lived_in_is_refused_and_left_alone(tmp_path: Path, output: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "pointsman.db").write_bytes(b"somebody's")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    command = [sys.executable, "-m", "bot.cli", "demo", "--once", "--home", str(home), "--output", output]
    said = subprocess.run(command, env=clean, capture_output=True, text=True, check=False, timeout=60)
    sentence = f"{home} already holds a bot's home, and a demo begins anew: choose another folder."
    assert (said.returncode, said.stderr) == (1, f"             start  {sentence}\n")
    if output == "json":
        document = json.loads(said.stdout)
        assert (document["ok"], document["home"], document["traceId"]) == (False, str(home), "")
        assert document["steps"] == [
            {"name": "start", "ok": False, "events": [], "detail": {"error": sentence}}
        ]
    assert {path.name: path.read_bytes() for path in home.iterdir()} == {"pointsman.db": b"somebody's"}


def test_whatever_is_in_the_way_of_the_demo_is_its_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(_home: Path) -> None:
        raise LookupError("nothing is where it should be")

    monkeypatch.setattr("bot.demo.place.prepare", fails)
    document = run.once(tmp_path / "home", keep=True, narrate=lambda *_: None)
    assert (document["ok"], [step["detail"] for step in document["steps"]]) == (
        False,
        [{"error": "nothing is where it should be"}],
    )
