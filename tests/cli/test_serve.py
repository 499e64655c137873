"""`pointsman serve` as a process: one line when ready, a door for submissions and people, an orderly end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.cli.serve import linked
from bot.settings import Settings

BINARY = Path(sys.executable).with_name("pointsman")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a home of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    return clean | {"POINTSMAN_HOME": str(tmp_path_factory.mktemp("serve") / "home")}


def call(place: dict[str, str], *arguments: str, code: int = 0) -> str:
    """Standard output of a command that ends with `code`."""
    said = subprocess.run([BINARY, *arguments], env=place, capture_output=True, text=True, check=False)
    assert said.returncode == code, said.stderr
    assert "Traceback" not in said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def serving(place: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A served bot and where it answers."""
    command = [BINARY, "serve", "--port", "0"]
    process = subprocess.Popen(command, env=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        ready = json.loads(line)
        assert ready["ready"] is True
        yield process, ready["url"]
    finally:
        process.kill()
        process.communicate()


def test_the_home_is_for_its_owner_alone(
    place: dict[str, str], serving: tuple[subprocess.Popen[str], str]
) -> None:
    home = Path(place["POINTSMAN_HOME"])
    open_to_others = {
        str(path): oct(path.stat().st_mode) for path in (home, *home.glob("*")) if path.stat().st_mode & 0o077
    }
    assert ((home / "pointsman.db").exists(), open_to_others) == (True, {})


def test_a_submission_goes_through_the_door_into_the_log(
    place: dict[str, str], serving: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, url = serving
    assert httpx.get(f"{url}/readyz").json()["ok"] is True
    token = call(place, "token", "create", "--login", "ada").strip()
    (tmp_path / "app.py").write_text("print('hi')\n")
    there = place | {"POINTSMAN_TOKEN": token, "POINTSMAN_URL": url}
    command = [
        "submit",
        str(tmp_path),
        "--repo",
        "acme/none",
        "--module",
        "m",
        "--version",
        "1.0.0",
        "--wait",
    ]
    document = json.loads(call(there, *command, "--timeout", "60", "--output", "json", code=1))
    assert document["outcome"] == "failed"  # there is no such repository, and the bot says so
    trace = document["traceId"]
    shown = json.loads(call(place, "trace", "show", trace, "--output", "json"))
    assert (shown["events"][0]["type"], shown["events"][0]["actor"]) == ("ModuleGenerated", "ada")
    page, _, secret = (
        call(place, "token", "link", "--login", "ada", "--to", f"/traces/{trace}").strip().partition("#")
    )
    assert page.endswith(f"/sign-in?to=/traces/{trace}")
    with httpx.Client(base_url=url, follow_redirects=True) as browser:
        seen = browser.post("/sign-in", data={"token": secret, "to": f"/traces/{trace}"})
    assert (seen.status_code, seen.url.path) == (200, f"/traces/{trace}")
    assert "is needed" in seen.text
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (-signal.SIGTERM, "")  # ended in order, then by the signal it got
    assert "Traceback" not in err
    report = json.loads(call(place, "trace", "verify", "--output", "json"))
    assert (report["ok"], report["first_bad"]) == (True, None)


SETTLED = """
import gc, os, sys
from bot import app
from bot.settings import Settings

def ready(_):
    print(gc.get_freeze_count(), flush=True)
    os._exit(0)

if sys.argv[1] == "serve":
    app.serve(Settings(), "127.0.0.1", 0, ready)
app.work(Settings(), ready)
"""


@pytest.mark.parametrize("role", ["serve", "work"])
def test_what_the_start_made_is_no_work_for_the_garbage_collector(
    place: dict[str, str], tmp_path: Path, role: str
) -> None:
    settled = subprocess.run(
        [sys.executable, "-c", SETTLED, role],
        env=place | {"POINTSMAN_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(settled.stdout) > 100_000


def test_a_port_that_is_taken_is_one_sentence(place: dict[str, str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [BINARY, "serve", "--port", str(port)]
        said = subprocess.run(command, env=place, capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == (
        f"Error: Port {port} is taken: something listens on 127.0.0.1:{port} already, perhaps another bot. "
        "Choose a free one with --port NUMBER.\n"
    )


def test_an_address_that_is_not_ours_is_one_sentence(place: dict[str, str]) -> None:
    command = [BINARY, "serve", "--host", "192.0.2.1", "--port", "8080"]
    said = subprocess.run(command, env=place, capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stdout) == (1, "")
    assert (
        said.stderr == "Error: The bot can not listen on 192.0.2.1:8080: Cannot assign requested address.\n"
    )


@pytest.mark.parametrize(
    ("host", "port", "base_url"),
    [
        ("127.0.0.1", 9000, "http://127.0.0.1:9000"),
        ("0.0.0.0", 9000, "http://127.0.0.1:9000"),
        ("::", 9000, "http://[::1]:9000"),
        ("2001:db8::1", 80, "http://[2001:db8::1]:80"),
        ("bot.example", 80, "http://bot.example:80"),
        ("127.0.0.1", 0, "http://127.0.0.1:8080"),
    ],
)
def test_links_lead_to_where_it_listens(host: str, port: int, base_url: str) -> None:
    assert linked(Settings(), host, port).base_url == base_url
    said = Settings(base_url="https://bot.example")
    assert linked(said, host, port).base_url == "https://bot.example"
