"""Load: `python -m benchmarks.load PORT CONNECTIONS SECONDS TAG [RATE]` posts signed 12 KB deliveries.

Without a rate the loop is closed: each connection sends its next delivery when the last one was answered, so
the server is as busy as it can be and a latency is mostly time in the queue. With a rate, deliveries are due
at fixed moments whoever answers late, and a latency counts from the moment its delivery was due.

A process of its own with hand-made requests on plain streams: a client library would take more of the
processor than the server under test. Connections are made before the clock runs. `generator_cpu_us` is what
a delivery costs here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from itertools import count

import uvloop

from benchmarks.delivery import body_of, signature

WARM_UP = 0.5
"""Seconds at the start that do not count."""


@dataclass
class Load:
    """One run of the generator."""

    port: int
    connections: int
    seconds: float
    tag: str
    rate: float = 0.0
    failed: int = 0
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """When a delivery was due, and how much later it was answered."""

    async def run(self) -> dict[str, float]:
        """Connect, send, sum up."""
        streams = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(self.connections)]
        began, processor = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self._send(*stream, n, began) for n, stream in enumerate(streams)))
        processor = time.process_time() - processor
        counted = sorted(took for due, took in self.latencies if due >= began + WARM_UP)
        return {
            "accepted_per_s": len(counted) / self.seconds,
            "p50_ms": counted[len(counted) // 2] * 1000,
            "p99_ms": counted[int(len(counted) * 0.99)] * 1000,
            "failed": self.failed,
            "sent": len(self.latencies),
            "generator_cpu_us": processor / len(self.latencies) * 1e6,
        }

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, began: float
    ) -> None:
        until = began + WARM_UP + self.seconds
        for turn in count():
            now = time.perf_counter()
            due = began + (turn * self.connections + number) / self.rate if self.rate else now
            if due >= until:
                break
            if due > now:
                await asyncio.sleep(due - now)
            writer.write(self._request(number, turn))
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.latencies.append((due, time.perf_counter() - due))
            self.failed += b" 202 " not in answer.split(b"\r\n")[0]
        writer.close()

    def _request(self, number: int, turn: int) -> bytes:
        body = body_of(number, turn)
        head = (
            f"POST /webhooks/local HTTP/1.1\r\nHost: x\r\nX-Delivery: {self.tag}-{number}-{turn}\r\n"
            f"X-Repository: repo-{number}\r\nX-Signature: {signature(body)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


if __name__ == "__main__":
    port, connections, seconds, tag, *rate = sys.argv[1:]
    load = Load(int(port), int(connections), float(seconds), tag, *map(float, rate))
    print(json.dumps(uvloop.run(load.run())))
