"""The shape of the command line: quick help, one sentence per error, exit codes, only answers on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot import __version__
from bot.cli.lazy import NOUNS, load
from tests.cli.conftest import Pointsman

BINARY = Path(sys.executable).with_name("pointsman")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command, with nothing of the machine's own settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    return subprocess.run(
        [BINARY, *arguments], env=clean | environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_noun_and_imports_none_of_them() -> None:
    script = (
        "import sys; from bot.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'pydantic', 'fastapi', 'httpx', 'dbos', 'policies', 'ruamel', 'alembic', 'jinja2'}\n"
        "print('heavy:', sorted(heavy & sys.modules.keys()))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.endswith("heavy: []\n")
    for noun, (_, summary) in NOUNS.items():
        assert f"│ {noun} " in said
        assert summary in said


def test_help_is_quick() -> None:
    """Half a second is the goal; measured against this machine's own start of Python, which may be busy."""
    best = min(_seconds([str(BINARY), "--help"]) for _ in range(3))
    bare = min(_seconds([sys.executable, "-c", "import typer, rich.console"]) for _ in range(3))
    assert best < max(0.5, 4 * bare)


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_explains_itself(noun: str) -> None:
    said = run(noun, "--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert f"pointsman {noun}" in said.stdout
    assert load(noun).name == noun


@pytest.mark.parametrize(
    ("noun", "verbs"),
    [
        ("db", {"upgrade", "check", "rebuild"}),
        ("token", {"create", "link", "list", "revoke"}),
        ("trace", {"list", "show", "export", "replay", "verify"}),
        (
            "release",
            {
                "approve",
                "commands",
                "delay",
                "deploy",
                "explain",
                "generate-pipeline",
                "hold",
                "hotfix",
                "list",
                "lock",
                "override-freeze",
                "pause",
                "plan",
                "provision",
                "refresh",
                "reject",
                "resolve-task",
                "resume",
                "retry",
                "rollback",
                "status",
                "unhold",
                "unlock",
                "update-pipeline",
            },
        ),
        ("inbox", {"list", "retry"}),
    ],
)
def test_nouns_have_their_verbs(noun: str, verbs: set[str]) -> None:
    assert set(load(noun).commands) == verbs


def test_the_version_is_said(pointsman: Pointsman) -> None:
    said = pointsman("--version")
    assert (said.code, said.out, said.err) == (0, f"pointsman {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tarce"], "No such command 'tarce'. Did you mean 'trace'?"),
        (["trace", "shwo"], "No such command 'shwo'. Did you mean 'show'?"),
        (
            ["trace", "list", "--limit", "0"],
            "Invalid value for '--limit': Input should be greater than or equal to 1",
        ),
        (["trace", "show"], "Missing argument 'TRACE'."),
        (
            ["trace", "list", "--output", "xml"],
            "Invalid value for '--output': Value error, 'xml' is not one of 'text', 'json'.",
        ),
        (["submit", "x", "--token", "pm_1"], "No such option: --token"),
    ],
)
def test_wrong_usage_is_two(pointsman: Pointsman, arguments: list[str], sentence: str) -> None:
    said = pointsman(*arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in " ".join(said.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "many", "POINTSMAN_PORT: input should be a valid integer, unable to parse string as an integer."),
        ("PORT", "70000", "POINTSMAN_PORT: input should be less than or equal to 65535."),
        (
            "RETRY_SCHEDULE", "-1",
            "POINTSMAN_RETRY_SCHEDULE: value error, must be one or more delays in seconds, none negative.",
        ),
        (
            "DATABASE_URL", "somewhere",
            "POINTSMAN_DATABASE_URL is not a database URL: write sqlite:///FILE or postgresql://USER@HOST/NAME.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(
    pointsman: Pointsman, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"POINTSMAN_{name}", value)
    said = pointsman("trace", "list", "--output", "json")
    assert (said.code, said.err) == (2, f"Error: {sentence}\n")
    error = json.loads(said.out)["error"]
    assert error == {"reasonCode": "InvalidSetting", "message": sentence, "path": f"POINTSMAN_{name}"}


def test_a_wrong_secret_is_not_repeated(pointsman: Pointsman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", "postgresql://bot:hunter2secret@127.0.0.1:1/none")
    said = pointsman("trace", "list")
    assert said.code == 1
    assert said.err.startswith("Error: The database does not answer: ")
    assert "hunter2secret" not in said.err + said.out


def test_a_bug_is_one_sentence_and_a_traceback_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "pointsman.db").write_bytes(b"this is no database at all, only text" * 40)
    quiet = run("trace", "list", POINTSMAN_HOME=str(tmp_path / "home"))
    assert (quiet.returncode, quiet.stderr.count("\n")) == (1, 1)
    assert quiet.stderr == "Error: The database can not be read: file is not a database\n"
    loud = run("trace", "list", POINTSMAN_HOME=str(tmp_path / "home"), POINTSMAN_DEBUG="1")
    assert "Traceback" in loud.stderr


def test_without_a_database_nothing_is_made(pointsman: Pointsman, tmp_path: Path) -> None:
    for verb in (
        ["trace", "list"],
        ["trace", "verify"],
        ["db", "check"],
        ["db", "rebuild"],
        ["token", "list"],
    ):
        said = pointsman(*verb)
        assert (said.code, said.out) == (1, "")
        assert said.err == (
            f"Error: There is no database at {tmp_path}/home/pointsman.db. "
            "Set POINTSMAN_HOME or POINTSMAN_DATABASE_URL, or start with `pointsman serve`.\n"
        )
    assert not (tmp_path / "home").exists()


def test_a_pipe_gets_no_colours(tmp_path: Path) -> None:
    said = run("trace", "list", POINTSMAN_HOME=str(tmp_path))
    assert "\x1b" not in said.stdout + said.stderr


def test_ctrl_c_is_no_traceback(tmp_path: Path) -> None:
    script = (
        "import bot.cli.trace as t, bot.api.queries as q\n"
        "from bot.cli import app\n"
        "import bot.cli.place as p\n"
        "def stop(): raise KeyboardInterrupt\n"
        "p.settings = stop\n"
        "app(['trace', 'list'])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert said.returncode == 130
    assert "Traceback" not in said.stderr
