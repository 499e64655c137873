"""`/v1/traces`: what is read is what the log holds, page by page, as it comes, and folded again."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from hashlib import sha256

import anyio
import pytest
import sqlalchemy as sa

from bot.api import traces
from bot.api.services import Services
from bot.domain.event import Event
from bot.log import append
from bot.log.tables import HEADS
from tests.support.house import House, house
from tests.support.story import RELEASED, STORY, event, module, story, tell

TRACE = "/v1/traces/trace-1"


def test_a_trace_is_its_events_and_its_state(home: House) -> None:
    said = home.http().get(TRACE).json()
    assert list(said) == ["traceId", "events", "state"]
    assert said["traceId"] == "trace-1"
    assert said["events"] == [one.to_json() for one in story()]
    assert said["state"]["sequence"] == len(STORY)
    assert said["state"]["releases"]["production"]["shownState"] == "delayed"


def test_events_come_in_pages(home: House) -> None:
    client = home.http()
    first = client.get(f"{TRACE}/events?limit=4").json()
    assert [one["sequence"] for one in first["events"]] == [1, 2, 3, 4]
    rest = client.get(f"{TRACE}/events?after={first['last']}").json()
    assert [one["sequence"] for one in rest["events"]] == [5, 6, 7, 8, 9, 10, 11]
    assert client.get(f"{TRACE}/events?after=11").json() == {"events": [], "last": 11}
    assert client.get(f"{TRACE}/events?after=99").json() == {"events": [], "last": 99}


def test_a_replay_stops_where_it_is_told(home: House) -> None:
    said = home.http().get(f"{TRACE}/replay?until=2").json()
    assert (said["until"], said["state"]["sequence"]) == (2, 2)
    assert said["state"]["commit"]["branch"] == "feature/booking/trace-1"
    assert "change" not in said["state"]
    assert said["snapshot"] == {"sequence": 11, "equal": True}


def test_a_proof_counts_the_events(home: House) -> None:
    said = home.http().get(f"{TRACE}/verify").json()
    assert said == {"ok": True, "traces": 1, "events": 11, "first_bad": None, "reason": None}


def test_a_changed_state_is_found(sqlite_url: str) -> None:
    with house(sqlite_url) as home:
        tell(home.store)
        with home.store.begin() as session:
            session.execute(
                sa.update(HEADS).values(state=sa.func.replace(HEADS.c.state, "delayed", "approved"))
            )
        client = home.http()
        assert client.get(f"{TRACE}/replay").json()["snapshot"] == {"sequence": 11, "equal": False}
        assert client.get(f"{TRACE}/verify").json() == {
            "ok": False, "traces": 1, "events": 11, "first_bad": {"traceId": "trace-1", "sequence": 11},
            "reason": "head: state differs from the events",
        }  # fmt: skip


@pytest.fixture
def many(sqlite_url: str) -> Iterator[House]:
    """Seven traces, five of which moved at the same moment."""
    with house(sqlite_url) as home, home.store.begin() as session:
        for number in range(7):
            trace = f"trace-{number}"
            append(session, [event(max(number, 5), "ModuleGenerated", module(), trace=trace)])
        session.commit()
        yield home


def test_lists_have_pages_that_miss_nothing_and_repeat_nothing(many: House) -> None:
    client, seen, cursor = many.http(), [], None
    for _ in range(7):
        page = client.get("/v1/traces", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [one["traceId"] for one in page["traces"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["trace-6", "trace-0", "trace-1", "trace-2", "trace-3", "trace-4", "trace-5"]


def test_a_list_can_be_of_one_module(home: House) -> None:
    client = home.http()
    assert [one["traceId"] for one in client.get("/v1/traces?module=booking").json()["traces"]] == ["trace-1"]
    assert client.get("/v1/traces?module=other").json()["traces"] == []


def test_a_line_says_what_happened_last(home: House) -> None:
    assert home.http().get("/v1/traces?module=booking").json()["traces"][0] == {
        "traceId": "trace-1", "tenantId": "acme", "moduleId": "booking", "version": "1.0.0", "forge": "local",
        "repository": "acme/booking", "flowState": "", "changeUrl": "http://127.0.0.1:8080/forge/acme/booking/changes/1",
        "sentence": "Command refused: approve-release, UnauthorizedApprover (mallory)", "sequence": 11,
        "updatedAt": "2026-11-20T18:00:11.000Z",
    }  # fmt: skip


# -- the live feed ----------------------------------------


def fed(home: House, *, after: int, count: int, meanwhile: tuple[Event, ...] = ()) -> list[int]:
    """The first sequences that somebody who follows the trace is told."""
    services = Services(home.runtime)
    found: list[int] = []

    async def follow() -> None:
        with anyio.fail_after(10):
            async for said in traces.follow(services, "acme", "trace-1", after):
                found.append(said.sequence)
                if len(found) == count:
                    return
                if said.sequence == len(STORY) and meanwhile:
                    await anyio.to_thread.run_sync(lambda: _append(home, meanwhile))

    anyio.run(follow)
    return found


def _append(home: House, happened: tuple[Event, ...]) -> None:
    with home.store.begin() as session:
        append(session, happened)


def test_a_follower_gets_what_was_and_what_comes(sqlite_url: str) -> None:
    with house(sqlite_url) as home:
        tell(home.store)
        later = tuple(story(then=RELEASED)[len(STORY) :])
        assert fed(home, after=9, count=4, meanwhile=later) == [10, 11, 12, 13]


@pytest.mark.parametrize(
    ("headers", "query", "first"),
    [({}, "", 1), ({}, "?after=9", 10), ({"Last-Event-ID": "10"}, "?after=2", 11)],
)
def test_the_feed_is_server_sent_events(
    home: House, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], query: str, first: int
) -> None:
    monkeypatch.setattr(traces, "LONGEST_STREAM", 0.2)
    answer = home.http().get(f"{TRACE}/stream{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    ids = [int(line.removeprefix("id: ")) for block in blocks for line in block if line.startswith("id: ")]
    assert ids == list(range(first, len(STORY) + 1))
    data = next(line.removeprefix("data: ") for line in blocks[0] if line.startswith("data: "))
    assert json.loads(data) == story()[first - 1].to_json()


@pytest.mark.parametrize("wrong", ["-1", "x", "²", "1.5"])
def test_a_wrong_place_in_the_feed_is_said_before_it_begins(home: House, wrong: str) -> None:
    answer = home.http().get(f"{TRACE}/stream", headers={"Last-Event-ID": wrong.encode()})
    assert (answer.status_code, answer.json()["path"]) == (422, "last-event-id")


# -- artefacts ----------------------------------------


def test_artefacts_are_listed_and_read(home: House) -> None:
    client = home.http()
    listed = client.get(f"{TRACE}/artefacts").json()["artefacts"]
    commit = next(one for one in listed if one["path"] == "memory/trace-1/commits/CommitMetadata.json")
    answer = client.get(f"{TRACE}/artefacts/{commit['path']}")
    assert len(answer.content) == commit["bytes"]
    assert sha256(answer.content).hexdigest() == commit["sha256"]
    assert answer.headers["content-type"] == commit["mediaType"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="CommitMetadata.json"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["traceId"] == "trace-1"


def test_an_artefact_that_is_not_there_is_404(home: House) -> None:
    answer = home.http().get(f"{TRACE}/artefacts/..%2F..%2Fetc%2Fpasswd")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no artefact '../../etc/passwd'.")


def test_the_archive_checks_itself(home: House) -> None:
    answer = home.http().get(f"{TRACE}/archive")
    assert answer.headers["content-disposition"] == 'attachment; filename="trace-1.tar.gz"'
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        content = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    sums = dict(reversed(line.split("  ")) for line in content.pop("MANIFEST").decode().splitlines())
    assert sums == {name: sha256(said).hexdigest() for name, said in content.items()}
    assert content["events.jsonl"].splitlines() == [one.canonical() for one in story()]
