"""Measure: `python -m benchmarks [--database sqlite|postgres|both] [--rounds 3] [--events 16000] ...`.

Each number is measured beside the bare thing it is compared with, in turn, in one run; the ratio of the
medians counts. Lines of JSON go to benchmarks/results/ and to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import policy
from tests.support import postgres

RESULTS = Path(__file__).with_name("results")
ROOT = RESULTS.parents[1]
CONNECTIONS = 64
PACE = 0.6
"""Of what a server accepts at most: the arrival rate at which its latency is looked at a second time."""
Run = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--events", type=int, default=16000)
    parser.add_argument(
        "--kills", type=int, default=0, help="also kill -9 so often under load (200 takes ten minutes)"
    )
    said = parser.parse_args(arguments)
    for name in ("sqlite", "postgres") if said.database == "both" else (said.database,):
        with fresh_databases(name) as fresh:
            write(f"accepted-{name}", accepted(name, fresh, said.rounds, said.seconds))
            write(f"applied-{name}", applied(name, fresh, said.rounds, said.events))
    policy.main(["--rounds", str(said.rounds), "--database", said.database])
    if said.kills:
        write("kills", [killed(said.kills)])


@contextmanager
def fresh_databases(name: str) -> Iterator[Callable[[], Any]]:
    """Makes context managers of empty databases. Postgres syncs to disk here, unlike in the tests."""
    if name == "postgres":
        with postgres.server() as server:
            yield server.database
        return

    @contextmanager
    def sqlite() -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/pointsman.db"

    yield sqlite


def accepted(database: str, fresh: Callable[[], Any], rounds: int, seconds: float) -> list[Run]:
    """Deliveries accepted per second, and the slowest of a hundred, with drains running."""
    runs: dict[str, list[Run]] = {"bare": [], "web": [], "serve": []}
    for _ in range(rounds):
        for kind, done in runs.items():
            with fresh() as url, server(kind, url) as (port, process):
                done.append(loaded(port, process, seconds))
    against = f"group-committed unique inserts behind the same HTTP stack ({database})"
    at = f"p99 at {CONNECTIONS} connections"
    lines = []
    for kind, drains in (("serve", "drains in the same process"), ("web", "no drains on this machine")):
        for what, key, unit, goal in (
            ("accepted/s", "accepted_per_s", "1/s", ">= 0.6"),
            (f"{at} that never pause", "p99_ms", "ms", "< 100 ms"),
            (f"{at} and {PACE:.0%} of that rate", "paced_p99_ms", "ms", "< 100 ms"),
            ("processor time per delivery", "server_cpu_us", "us", ""),
        ):
            value, bare = (middle(runs[which], key) for which in (kind, "bare"))
            said = {"name": f"{what}, {drains}", "value": value, "unit": unit, "ratio": value / bare}
            lines.append(line(said | {"against": against, "goal": goal}, runs[kind], runs["bare"]))
    return lines


def loaded(port: int, process: int, seconds: float) -> Run:
    """What a server accepts at most, and then how it does at a part of that."""
    before = processor_seconds(process)
    full = program("benchmarks.load", str(port), str(CONNECTIONS), str(seconds), "full")
    spent = processor_seconds(process) - before
    rate = PACE * full["accepted_per_s"]
    paced = program("benchmarks.load", str(port), str(CONNECTIONS), str(seconds), "paced", str(rate))
    failed = full["failed"] + paced["failed"]
    return full | {
        "server_cpu_us": spent / full["sent"] * 1e6,
        "failed": failed,
        **{f"paced_{key}": paced[key] for key in ("accepted_per_s", "p50_ms", "p99_ms")},
    }


def processor_seconds(process: int) -> float:
    """What a process has used so far, its threads included; 0 where the system does not say."""
    said = Path(f"/proc/{process}/stat")
    if not said.exists():
        return 0.0
    user, system = said.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def applied(database: str, fresh: Callable[[], Any], rounds: int, events: int) -> list[Run]:
    """Events applied per second."""
    runs: dict[str, list[Run]] = {"bare": [], "bot": []}
    for _ in range(rounds):
        for kind, done in runs.items():
            with fresh() as url:
                done.append(program("benchmarks.applied", kind, url, str(events)))
    against = f"a bare loop that runs the same statements ({database})"
    lines = []
    for name, key, unit, goal in (
        ("applied/s", "applied_per_s", "1/s", ">= 0.6"),
        ("processor time per event", "cpu_us", "us", ""),
    ):
        value, bare = (middle(runs[kind], key) for kind in ("bot", "bare"))
        said = {"name": name, "value": value, "unit": unit, "ratio": value / bare}
        lines.append(line(said | {"against": against, "goal": goal}, runs["bot"], runs["bare"]))
    return lines


def killed(kills: int) -> Run:
    """The chaos test, as often as asked."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/engine/test_chaos.py", "--kills", str(kills)]
    began = time.perf_counter()
    passed = subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr).returncode == 0
    runs = [{"passed": passed, "kills": kills, "seconds": time.perf_counter() - began}]
    said = {"name": "kill -9 without loss", "value": kills if passed else 0, "unit": "kills", "ratio": None}
    return line(said | {"against": "", "goal": "no delivery lost or doubled"}, runs)


@contextmanager
def server(kind: str, url: str) -> Iterator[tuple[int, int]]:
    """Port and process of a server that listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server", kind, url, str(port)], cwd=ROOT)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def program(module: str, *arguments: str) -> Run:
    """The JSON that a program of this folder prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    answer: Run = json.loads(done.stdout)
    return answer


def middle(runs: list[Run], key: str) -> float:
    """The median over the rounds."""
    return statistics.median(run[key] for run in runs)


def line(said: Run, runs: list[Run], bare: Sequence[Run] = ()) -> Run:
    """One result, as results/README.md says."""
    rounds = {"runs": [rounded(run) for run in runs], "bare_runs": [rounded(run) for run in bare]}
    return rounded(said) | rounds | {"machine": machine()}


def rounded(run: Run) -> Run:
    """Three places are more than these numbers are good for."""
    return {key: round(found, 3) if isinstance(found, float) else found for key, found in run.items()}


def machine() -> dict[str, Any]:
    """Where this was measured, and how busy it was besides."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def write(name: str, lines: list[Run]) -> None:
    """To results/, and to whoever is looking."""
    text = "".join(json.dumps(entry) + "\n" for entry in lines)
    (RESULTS / f"{name}.json").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
