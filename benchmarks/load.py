"""Load: `python -m benchmarks.load PORT CONNECTIONS SECONDS TAG` posts signed 12 KB deliveries.

A process of its own with hand-made requests on plain streams: a client library would take more of the
processor than the server under test.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from benchmarks.subject import body_of, signature

WARM_UP = 0.5
"""Seconds at the start that do not count."""


async def _connection(
    port: int, tag: str, number: int, until: float, latencies: list[tuple[float, float]]
) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    failed = count = 0
    while time.perf_counter() < until:
        count += 1
        delivery = f"{tag}-{number}-{count}"
        body = body_of(number, count)
        head = (
            f"POST /webhooks/local HTTP/1.1\r\nHost: x\r\nX-Delivery: {delivery}\r\n"
            f"X-Repository: repo-{number}\r\nX-Signature: {signature(body)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append((began, time.perf_counter() - began))
        failed += b" 202 " not in answer.split(b"\r\n")[0]
    writer.close()
    return failed


async def _run(port: int, connections: int, seconds: float, tag: str) -> dict[str, float]:
    latencies: list[tuple[float, float]] = []
    began = time.perf_counter()
    until = began + WARM_UP + seconds
    failed = sum(
        await asyncio.gather(*(_connection(port, tag, n, until, latencies) for n in range(connections)))
    )
    counted = sorted(took for at, took in latencies if at >= began + WARM_UP)
    return {
        "accepted_per_s": len(counted) / seconds,
        "p50_ms": counted[len(counted) // 2] * 1000,
        "p99_ms": counted[int(len(counted) * 0.99)] * 1000,
        "failed": failed,
        "sent": len(latencies),
    }


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))))
