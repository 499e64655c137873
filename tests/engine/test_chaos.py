"""`kill -9` at random moments under load: nothing acknowledged is lost, nothing is doubled, order per trace is kept.

`pytest tests/engine/test_chaos.py --kills 200` for the long run.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.engine.prepare import prepare
from bot.log import Store, verify
from tests.engine.rig import count, of, settings_for, signed, wait_for

PROGRAM = Path(__file__).with_name("chaos_process.py")
TRACES = 6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Victim:
    """One place for a process that is started again whenever it was killed."""

    url: str
    role: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    def start(self, *, wait: bool = False) -> None:
        command = [sys.executable, str(PROGRAM), self.url, str(self.port), self.role]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if wait:
            assert self.process.stdout is not None
            assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def victims(url: str) -> Iterator[list[Victim]]:
    """Two: on Postgres both serve; on SQLite one serves and one is a worker beside it."""
    both = [Victim(url, "serve"), Victim(url, "worker" if url.startswith("sqlite") else "serve")]
    for victim in both:
        victim.start(wait=True)
    try:
        yield both
    finally:
        for victim in both:
            victim.kill()


class Sender(threading.Thread):
    """Delivers the numbers of one trace one after the other; the next only when the one before was acknowledged."""

    def __init__(self, trace: int, ports: list[int], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._trace, self._ports, self._stop_now = trace, ports, stop
        self.acknowledged = 0
        self.again = 0

    def run(self) -> None:
        while not self._stop_now.is_set():
            number = self.acknowledged + 1
            body = json.dumps(
                {"branch": f"b{self._trace}", "number": number, "trace": f"chaos-{self._trace}"}
            ).encode()
            headers = signed(body, f"{self._trace}-{number}")
            while not self._deliver(body, headers):
                self.again += 1
                if self._stop_now.is_set():
                    return
                time.sleep(0.01)
            self.acknowledged = number

    def _deliver(self, body: bytes, headers: dict[str, str]) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", random.choice(self._ports), timeout=5)
        try:
            connection.request("POST", "/webhooks/local", body, headers)
            return connection.getresponse().status == 202
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@pytest.mark.timeout(3600)
def test_kill_nine_under_load(database_url: str, request: pytest.FixtureRequest) -> None:
    kills = int(request.config.getoption("--kills"))
    prepare(database_url, settings_for(database_url).shards)
    stop = threading.Event()
    store = Store(database_url)
    with victims(database_url) as both:
        ports = [victim.port for victim in both]
        senders = [Sender(trace, ports, stop) for trace in range(TRACES)]
        for sender in senders:
            sender.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.2, 2.0))
            victim = random.choice(both)
            victim.kill()
            victim.start()
        time.sleep(1.0)
        stop.set()
        for sender in senders:
            sender.join()
        wait_for(lambda: _settled(store, senders), 120 + 3 * kills)  # each kill leaves work behind
    assert sum(sender.acknowledged for sender in senders) > kills
    for trace, sender in enumerate(senders):
        numbers = [event.data["number"] for event in of(store, f"chaos-{trace}", "TestsExecuted")]
        # The last one may have been stored without its sender hearing of it.
        assert numbers in (list(range(1, sender.acknowledged + 1)), list(range(1, sender.acknowledged + 2)))
        done = [
            event.data["request"]["body"] for event in of(store, f"chaos-{trace}", "AgentActionCompleted")
        ]
        assert done == [str(number) for number in numbers if number % 3 == 0]
    with store.read() as session:
        assert verify(session)["ok"]
    assert count(store, "dead_letter") == 0
    store.close()


def _settled(store: Store, senders: list[Sender]) -> bool:
    applied = all(
        len(of(store, f"chaos-{trace}", "TestsExecuted")) >= sender.acknowledged
        for trace, sender in enumerate(senders)
    )
    return (
        applied and not count(store, "effect", "status <> 'done'") and not count(store, "inbox", "done = 0")
    )
