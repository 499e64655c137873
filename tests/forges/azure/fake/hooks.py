"""The fake's service hooks: calls in order, with basic authentication, kept as notifications with their end."""

from __future__ import annotations

import queue
import threading
from typing import Any

import httpx

from tests.forges.azure.fake.state import Json, Organisation, guid, now

TRIES = 2


class Sender:
    """One thread that calls. `target` is where the calls go to, whatever address the hook has."""

    def __init__(self, org: Organisation) -> None:
        self.org = org
        self.target = ""
        self.sent = 0
        self._waiting: queue.Queue[tuple[Json, Json] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="azure-hooks")
        self._client = httpx.Client(trust_env=False, timeout=10)
        org.tell = self.tell
        self._thread.start()

    def tell(self, kind: str, resource: Json, text: str, about: str = "") -> None:
        """Something happened: every subscription that is on for it is called."""
        happened = guid(f"event:{self.org.number('event')}")
        for one in self.org.subscriptions:
            wanted = one["publisherInputs"].get("notificationType") or about
            if one["eventType"] == kind and one["status"] == "enabled" and wanted == about:
                self._waiting.put((one, self._event(one, happened, kind, resource, text)))

    def _event(self, one: Json, happened: str, kind: str, resource: Json, text: str) -> Json:
        collection = guid("collection")
        return {
            "subscriptionId": one["id"],
            "notificationId": self.org.number(f"notification:{one['id']}"),
            "id": happened,
            "eventType": kind,
            "publisherId": one["publisherId"],
            "message": {"text": text, "html": text, "markdown": text},
            "detailedMessage": {"text": text, "html": text, "markdown": text},
            "resource": resource,
            "resourceVersion": one["resourceVersion"],
            "resourceContainers": {"collection": {"id": collection, "baseUrl": f"{self.org.url}/"}},
            "createdDate": now(),
        }

    def again(self, notification: Json) -> None:
        """Make a call once more, as a retry does."""
        one = next(s for s in self.org.subscriptions if s["id"] == notification["subscriptionId"])
        self._waiting.put((one, notification["details"]["event"]))

    def quiet(self) -> bool:
        return self._waiting.unfinished_tasks == 0

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=20)
        self._client.close()

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            one, event = job
            result, tried = "failed", 0
            while result == "failed" and tried < TRIES:
                tried += 1
                result = self._call(one, event)
            self._note(one, event, result)
            self.sent += 1
            self._waiting.task_done()

    def _call(self, one: Json, event: Json) -> str:
        inputs = one["consumerInputs"]
        auth: Any = None
        if "basicAuthPassword" in inputs:
            auth = (inputs.get("basicAuthUsername", ""), inputs["basicAuthPassword"])
        headers = dict(line.split(":", 1) for line in inputs.get("httpHeaders", "").splitlines() if line)
        try:
            answer = self._client.post(self.target or inputs["url"], json=event, auth=auth, headers=headers)
        except httpx.HTTPError:
            return "failed"
        return "succeeded" if answer.is_success else "failed"

    def _note(self, one: Json, event: Json, result: str) -> None:
        details = {"publisherId": one["publisherId"], "eventType": event["eventType"], "event": _kept(event)}
        with self.org.lock:
            self.org.notifications.append(
                {
                    "id": event["notificationId"],
                    "subscriptionId": one["id"],
                    "subscriberId": guid("subscriber"),
                    "eventId": event["id"],
                    "status": "completed",
                    "result": result,
                    "createdDate": event["createdDate"],
                    "modifiedDate": now(),
                    "details": details | {"consumerId": "webHooks", "requestAttempts": 1},
                }
            )


def _kept(event: Json) -> Json:
    return {name: value for name, value in event.items() if name not in {"subscriptionId", "notificationId"}}
