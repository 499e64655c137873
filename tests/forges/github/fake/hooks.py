"""Webhook calls: signed, in the order of what they tell, each made once. Who does not answer has missed it."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import uuid
from datetime import UTC, datetime

import httpx

from tests.forges.conformance.stage import Call
from tests.forges.github.fake.hub import Attempt, Hub, Json


class Hooks:
    """Keeps every call; makes it as soon as there is somebody to make it to."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._url = ""
        self.calls: list[Call] = []
        self._waiting: queue.Queue[tuple[str, Json, Call] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()
        hub.tell = self._tell

    def deliver_to(self, url: str) -> None:
        self._url = url

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=20)

    def _tell(self, event: str, payload: Json) -> None:
        body = json.dumps(payload).encode()
        signed = hmac.new(self._hub.secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/fake",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signed}",
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        call = Call({name.lower(): value for name, value in headers.items()}, raw, body)
        self.calls.append(call)
        self._waiting.put((event, payload, call))

    def _deliver(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while (item := self._waiting.get()) is not None:
                event, payload, call = item
                if not self._url:
                    continue
                try:
                    status = client.post(self._url, content=call.body, headers=call.headers).status_code
                except httpx.HTTPError:
                    status = 502
                guid = call.headers["x-github-delivery"]
                with self._hub.lock:
                    at = datetime.now(UTC)
                    self._hub.attempts.append(Attempt(self._hub.number(), guid, at, event, payload, status))
