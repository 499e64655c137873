"""Webhook calls as GitLab makes them: signed, in order, once. What fails is written down and not repeated."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from bot.forges.gitlab.verify import sign
from tests.forges.gitlab.fake.state import Hook, Json, Project, State

NAMES = {
    "push": "Push Hook", "tag_push": "Tag Push Hook", "merge_request": "Merge Request Hook", "note": "Note Hook",
    "pipeline": "Pipeline Hook", "build": "Job Hook", "deployment": "Deployment Hook",
}  # fmt: skip
WANTED = {
    "push": "push_events", "tag_push": "tag_push_events", "merge_request": "merge_requests_events",
    "note": "note_events", "pipeline": "pipeline_events", "build": "job_events", "deployment": "deployment_events",
}  # fmt: skip


@dataclass
class Sent:
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Sender:
    """One thread for all hooks: calls arrive in the order in which things happened."""

    state: State
    sent: list[Sent] = field(default_factory=list)
    _waiting: queue.Queue[tuple[Hook, Json, str] | None] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=20)

    def tell(self, project: Project, said: Json) -> None:
        for hook in project.hooks:
            wanted = hook.wanted.get(WANTED[said["object_kind"]], True)
            if wanted and hook.alert_status == "executable":
                self._waiting.put((hook, json.loads(json.dumps(said)), str(uuid4())))

    def settled(self) -> None:
        """Wait until every call was made."""
        self._waiting.join()

    def again(self, hook: Hook, event: Json) -> None:
        """`Resend`: the same call under the same key."""
        self._waiting.put((hook, event["request_data"], event["request_headers"]["Idempotency-Key"]))

    def headers(self, hook: Hook, said: Json, key: str, body: bytes) -> list[tuple[str, str]]:
        made = [
            ("Content-Type", "application/json"),
            ("User-Agent", "GitLab/18.9.0"),
            ("Idempotency-Key", key),
            ("X-Gitlab-Event", NAMES[said["object_kind"]]),
            ("X-Gitlab-Webhook-UUID", str(uuid4())),
            ("X-Gitlab-Instance", self.state.url),
            ("X-Gitlab-Event-UUID", str(uuid4())),
        ]
        if hook.token:
            made.append(("X-Gitlab-Token", hook.token))
        if hook.signing_token:
            at = str(int(time.time()))
            signature = sign(hook.signing_token.encode(), key.encode(), at.encode(), body).decode()
            made += [("webhook-id", key), ("webhook-timestamp", at), ("webhook-signature", signature)]
        return made

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            self._call(*waiting)
            self._waiting.task_done()

    def _call(self, hook: Hook, said: Json, key: str) -> None:
        body = json.dumps(said, separators=(",", ":")).encode()
        headers = self.headers(hook, said, key, body)
        status = _post(hook.leads_to or hook.url, headers, body)
        self.sent.append(Sent(headers, body))
        shown = {name: "[REDACTED]" if name == "X-Gitlab-Token" else value for name, value in headers}
        with self.state.lock:
            hook.events.append(
                {
                    "id": self.state.next_id("hook_event"), "url": hook.url, "trigger": f"{said['object_kind']}_hooks",
                    "request_headers": shown, "request_data": said, "response_headers": {}, "response_body": "",
                    "execution_duration": 0.01, "response_status": status,
                }
            )  # fmt: skip


def _post(url: str, headers: list[tuple[str, str]], body: bytes) -> str:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        connection.putrequest("POST", where.path)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        return str(connection.getresponse().status)
    except OSError:
        return "internal error"
    finally:
        connection.close()
