"""Startup, readiness and liveness over HTTP: 200 to 399 is good, as with Kubernetes' httpGet probes.

Startup is asked until it is good; then readiness and liveness until both were good `successes` times running.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from bot.domain.effect import Probe, Service

INTERVAL_S = 0.1
BODY_SHOWN = 120
GOOD = range(200, 400)
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Probes go to loopback without TLS; httpx would read all certificate authorities for each of them."""
Name = Literal["startup", "readiness", "liveness"]
NAMES: tuple[Name, ...] = ("startup", "readiness", "liveness")


@dataclass(frozen=True)
class Answer:
    """One answer of one probe."""

    ok: bool
    detail: str
    latency_ms: float


NOT_ASKED = Answer(ok=True, detail="not asked for", latency_ms=0.0)
"""A service without that probe."""


@dataclass(frozen=True)
class Seen:
    """What a probing found. `reason` is a sentence, empty when healthy."""

    state: Literal["healthy", "unhealthy", "crashed"]
    probes: tuple[Probe, ...]
    startup_time_ms: float = 0.0
    reason: str = ""


def ask(url: str, timeout_s: float) -> Answer:
    """One GET, all of it within `timeout_s`: a service that answers byte by byte has not answered."""
    began = time.monotonic()
    try:
        ok, detail = asyncio.run(asyncio.wait_for(_get(url, timeout_s), timeout_s))
    except (TimeoutError, httpx.TimeoutException):
        ok, detail = False, f"no answer within {timeout_s:g} s"
    except httpx.ConnectError:
        ok, detail = False, "connection refused"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        ok, detail = False, f"no HTTP answer ({type(error).__name__})"
    return Answer(ok, detail, round((time.monotonic() - began) * 1000, 3))


async def _get(url: str, timeout_s: float) -> tuple[bool, str]:
    # trust_env: a proxy of the environment must not answer for the service.
    async with (
        httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=NO_TLS) as client,
        client.stream("GET", url, headers={"User-Agent": "pointsman-probe"}) as response,
    ):
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > BODY_SHOWN:
                break
    ok = response.status_code in GOOD
    said = "" if ok else body.decode(errors="replace").strip().partition("\n")[0][:BODY_SHOWN]
    return ok, f"{response.status_code} {response.reason_phrase}" + (f": {said}" if said else "")


class Watch:
    """One probing of one service. `alive` says whether its process still is."""

    def __init__(self, service: Service, url: str, alive: Callable[[], bool]) -> None:
        self.service, self.url, self.alive = service, url, alive
        self.paths: dict[Name, str] = {
            "startup": service.startup,
            "readiness": service.readiness,
            "liveness": service.liveness,
        }
        self.latest = {name: Probe(name=name, ok=False, detail="not reached", attempts=0) for name in NAMES}

    def run(self, since: float | None = None) -> Seen:
        """Until healthy, out of time, or crashed. `since` (monotonic seconds) is when it was started."""
        began = time.monotonic() if since is None else since
        state = self._until(("startup",), 1)
        startup_time_ms = round((time.monotonic() - began) * 1000, 3) if state == "healthy" else 0.0
        if state == "healthy":
            state = self._until(("readiness", "liveness"), self.service.successes)
        reason = self._reason() if state == "unhealthy" else ""
        return Seen(state, tuple(self.latest.values()), startup_time_ms, reason)

    def once(self) -> Seen:
        """Every probe one time."""
        good = [self._ask(name) for name in NAMES]
        state: Literal["healthy", "unhealthy", "crashed"] = "healthy" if all(good) else "unhealthy"
        return Seen(
            state if self.alive() else "crashed",
            tuple(self.latest.values()),
            reason="" if all(good) else self._reason(),
        )

    def _until(self, names: tuple[Name, ...], successes: int) -> Literal["healthy", "unhealthy", "crashed"]:
        deadline = time.monotonic() + self.service.startup_timeout_s
        streak = 0
        while True:
            good = [self._ask(name) for name in names]
            if not self.alive():  # asked last: on its port, somebody else may have answered
                return "crashed"
            streak = streak + 1 if all(good) else 0
            if streak >= successes:
                return "healthy"
            if time.monotonic() >= deadline:
                return "unhealthy"
            time.sleep(INTERVAL_S)

    def _ask(self, name: Name) -> bool:
        path = self.paths[name]
        attempts = self.latest[name].attempts + 1
        answer = NOT_ASKED
        if path:
            answer = ask(f"{self.url}/{path.lstrip('/')}", self.service.probe_timeout_s)
        self.latest[name] = Probe(
            name=name, ok=answer.ok, detail=answer.detail, attempts=attempts, latency_ms=answer.latency_ms
        )
        return answer.ok

    def _reason(self) -> str:
        bad = next((probe for probe in self.latest.values() if not probe.ok), None)
        within = f"within {self.service.startup_timeout_s:g} s"
        if bad is None:
            return f"Readiness and liveness were not good {self.service.successes} times in a row {within}."
        return f"The {bad.name} probe {self.paths[bad.name]} was not good {within}: {bad.detail}."
