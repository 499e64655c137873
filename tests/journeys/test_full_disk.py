"""The disk is full (SQLite's `max_page_count`): what was accepted is kept and goes on, the rest is refused whole."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bot.forges.local.verify import sign
from bot.log import verify
from tests.journeys import modules
from tests.journeys.house import House, git, living, submission
from tests.journeys.rules import APPROVED

ROOM, FULL = "1000000", "1"
LARGE = {"path": "large.txt", "content": "0123456789abcdef\n" * 40_000}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    limit = tmp_path / "limit"
    limit.write_text(ROOM)
    with living(tmp_path / "home", start=False) as made:
        ours = [str(Path(__file__).parent / "small_disk"), os.environ.get("PYTHONPATH", "")]
        made.environment |= {"SMALL_DISK": str(limit), "PYTHONPATH": os.pathsep.join(filter(None, ours))}
        made.serve()
        yield made


def test_a_full_disk_refuses_whole_and_loses_nothing(small: House, tmp_path: Path) -> None:
    house, limit = small, tmp_path / "limit"
    bare = house.repository("acme/small", APPROVED)
    before = house.submit("acme/small", "before", modules.files())
    house.event(before, "ModuleGenerated")
    limit.write_text(FULL)
    with suppress(
        AssertionError
    ):  # mostly a drain says so; when an effect met it first, nothing moves at all
        house.wait(lambda: b"drain_retried" in house.said("web"), "a drain that has no room", within=8)

    refused = [module(house, n) for n in range(3)]
    delivered = webhook(house, "full-1")
    for answer in (*refused, delivered):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), answer.text
        assert answer.json() == {
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "reasonCode": "Unavailable",
            "detail": "this cannot be stored at the moment; nothing was stored",
        }  # fmt: skip
    assert house.inbox("api") == 1
    assert not house.stored("full-1")
    assert not house.traces(module_id="late-0")
    assert house.say("GET", f"/v1/traces/{before}").status_code == 200, "reading goes on"
    assert house.running["web"].popen.poll() is None
    limit.write_text(ROOM)

    again = [module(house, n) for n in range(3)]
    assert [answer.status_code for answer in again] == [202] * 3
    assert webhook(house, "full-1").status_code == 202
    house.tested(before)
    for answer in again:
        trace = answer.json()["traceId"]
        house.event(trace, "PipelineReady")
        assert (
            git(
                bare,
                "log",
                "--format=%(trailers:key=Trace-Id,valueonly)",
                "-1",
                house.event(trace, "CommitReady").data["sha"],
            )
            == trace
        )
    once = Counter(
        house.types(before, "ModuleGenerated", "CommitReady", "PullRequestCreated", "PipelineReady")
    )
    assert set(once.values()) == {1}, once
    with house.store.read() as session:
        assert verify(session)["ok"]


def module(house: House, number: int) -> httpx.Response:
    name = f"late-{number}"
    return house.say("POST", "/v1/modules", json=submission("acme/small", name, [*modules.files(), LARGE]))


def webhook(house: House, delivery: str) -> httpx.Response:
    """A genuine delivery of an event that nobody knows, and a large one."""
    body = json.dumps({"event": "unknown", "text": "x" * 700_000}).encode()
    secret = house.environment["POINTSMAN_LOCAL_WEBHOOK_SECRET"].encode()
    headers = {"X-Pointsman-Delivery": delivery, "X-Pointsman-Signature-256": sign(secret, body)}
    return house.http.post("/webhooks/local", content=body, headers=headers)
