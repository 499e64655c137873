"""How the demo looks and acts: over HTTP as people and agents do, and in the log as an auditor does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from bot.demo.place import MODULE, PATH, REPOSITORY, Place, service_files
from bot.domain.event import Event
from bot.domain.trace import TraceState
from bot.log.fold import load
from bot.log.replay import events
from bot.log.store import Store

TENANT = "default"
Found = TypeVar("Found")


class DidNotHappen(Exception):
    """The demo waited for something in vain."""


@dataclass
class Asking:
    """One place's HTTP and log."""

    place: Place
    store: Store
    http: httpx.Client

    def submit(self, version: str, source: str, summary: str, changelog: list[str]) -> str:
        """Submit generated code, as an agent does. Returns the trace id."""
        answer = self.http.post(
            "/v1/modules",
            headers={"Authorization": f"Bearer {self.place.token}"},
            json={
                "repository": REPOSITORY,
                "moduleId": MODULE,
                "version": version,
                "path": PATH,
                "summary": summary,
                "changelog": changelog,
                "files": service_files(source),
                "template": "python-service",
                "service": {"command": ["python3", "-m", "booking_service"], "startupTimeoutS": 2.5},
            },
        )
        _must(answer)
        return str(answer.json()["traceId"])

    def comment(self, login: str, change: int, body: str) -> str:
        """Write a comment on a change. Returns its id."""
        answer = self.http.post(
            f"/forge/api/repositories/{REPOSITORY}/changes/{change}/comments",
            json={"body": body},
            headers=self._as(login),
        )
        _must(answer)
        return str(answer.json()["id"])

    def forge(self, path: str, login: str = "ada") -> Any:
        """Read from the forge's API."""
        answer = self.http.get(f"/forge/api/repositories/{REPOSITORY}{path}", headers=self._as(login))
        _must(answer)
        return answer.json()

    def _as(self, login: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.place.people[login]}"}

    def log(self, trace: str) -> list[Event]:
        """All events of a trace, from the database."""
        with self.store.read() as session:
            return events(session, TENANT, trace)

    def state(self, trace: str) -> TraceState:
        """The folded trace."""
        with self.store.read() as session:
            return load(session, TENANT, trace)

    def event(self, trace: str, type_: str, within: float = 45.0, **data: Any) -> Event:
        """Wait for an event of this type whose payload has these values. Raises DidNotHappen."""

        def look() -> Event | None:
            found = (
                e
                for e in self.log(trace)
                if e.type == type_ and all(e.data.get(k) == v for k, v in data.items())
            )
            return next(found, None)

        return self.wait(look, f"{type_} {data or ''} in {trace}", within)

    def wait(self, look: Callable[[], Found | None], what: str, within: float = 45.0) -> Found:
        """Look every 50 ms until there is something. Raises DidNotHappen."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise DidNotHappen(f"waited {within:.0f} s in vain for {what}")

    def fetch(self, url: str) -> dict[str, Any]:
        """GET a deployed service. Raises httpx.HTTPError."""
        answer = httpx.get(url, timeout=3)
        answer.raise_for_status()
        return dict(answer.json())


def _must(answer: httpx.Response) -> None:
    if answer.is_error:
        raise DidNotHappen(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
        )
