"""`POST /v1/modules`: what is wrong is said at once and stores nothing; what is right is stored once."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.event import Event
from bot.log import append
from bot.log.tables import EVENTS, INBOX
from tests.support.house import House
from tests.support.story import module

URL = "/v1/modules"


def stored(home: House, tenant: str = "acme") -> list[Event]:
    """What the inbox holds, in order."""
    with home.store.read() as session:
        bodies = session.execute(
            sa.select(INBOX.c.body).where(INBOX.c.tenant == tenant).order_by(INBOX.c.seq)
        ).scalars()
        return [Event.model_validate_json(bytes(body)) for body in bodies]


def counts(home: House) -> tuple[int, int]:
    """Rows of inbox and log."""
    with home.store.read() as session:
        inbox = session.execute(sa.select(sa.func.count()).select_from(INBOX)).scalar_one()
        return inbox, session.execute(sa.select(sa.func.count()).select_from(EVENTS)).scalar_one()


def test_a_module_is_accepted_as_an_event_of_its_submitter(home: House) -> None:
    answer = home.http("ada").post(URL, json=module(sprintId="sprint-3"))
    assert answer.status_code == 202
    assert (answer.headers["location"], answer.headers["retry-after"]) == (
        f"/v1/traces/{answer.json()['traceId']}", "1",
    )  # fmt: skip
    said = answer.json()
    assert said == {
        "traceId": said["traceId"],
        "eventId": said["eventId"],
        "url": f"http://127.0.0.1:8080/traces/{said['traceId']}",
    }
    event = stored(home)[-1]
    assert (event.id, event.trace_id, event.tenant_id) == (said["eventId"], said["traceId"], "acme")
    assert (event.type, event.actor, event.source, event.module_id) == (
        "ModuleGenerated",
        "ada",
        "/v1/modules",
        "booking",
    )
    assert event.sprint_id == event.data["sprintId"] == "sprint-3"
    assert event.data["files"] == [
        {
            "path": "booking/__main__.py",
            "content": "print('hi')\n",
            "encoding": "utf-8",
            "executable": False,
            "delete": False,
        }
    ]


def test_the_same_content_twice_is_one_trace_and_one_row(home: House) -> None:
    client = home.http()
    first = client.post(URL, json=module(version="1.1.0"))
    before = counts(home)
    again = client.post(URL, json=module(version="1.1.0"))
    assert first.json() == again.json()
    assert counts(home) == before
    assert client.post(URL, json=module(version="1.1.1")).json()["traceId"] != first.json()["traceId"]


def test_the_order_of_keys_is_no_difference(home: House) -> None:
    client = home.http()
    said = module(version="1.2.0")
    turned = dict(reversed(list(said.items())))
    assert client.post(URL, json=said).json() == client.post(URL, json=turned).json()


def test_the_tenant_is_the_tokens(home: House) -> None:
    mine = home.http().post(URL, json=module(version="1.3.0", tenantId="other")).json()
    theirs = home.http("eve", tenant="other").post(URL, json=module(version="1.3.0")).json()
    assert mine["traceId"] != theirs["traceId"]
    assert stored(home)[-1].tenant_id == "acme"
    assert stored(home, "other")[-1].trace_id == theirs["traceId"]


def test_a_key_makes_two_submissions_one(home: House) -> None:
    client = home.http()
    headers = {"Idempotency-Key": "run-17"}
    first = client.post(URL, json=module(version="1.4.0"), headers=headers)
    before = counts(home)
    assert client.post(URL, json=module(version="1.4.0"), headers=headers).json() == first.json()
    other = client.post(URL, json=module(version="1.4.1"), headers=headers)
    assert (other.status_code, other.json()["reasonCode"]) == (409, "IdempotencyKeyReused")
    assert other.json()["detail"] == "Another submission was made under this Idempotency-Key."
    assert counts(home) == before
    assert stored(home)[-1].data["version"] == "1.4.0"


def test_a_key_is_remembered_when_what_came_under_it_was_purged(home: House) -> None:
    client, headers = home.http(), {"Idempotency-Key": "run-18"}
    first = client.post(URL, json=module(version="1.5.0"), headers=headers).json()
    event = stored(home)[-1]
    row = sa.update(INBOX).where(INBOX.c.delivery_id == event.id)
    with home.store.begin() as session:  # as when it was applied, and the time of its body is over
        append(session, [event])
        session.execute(row.values(body=b""))
    again = client.post(URL, json=module(version="1.5.0"), headers=headers).json()
    other = client.post(URL, json=module(version="1.5.1"), headers=headers)
    with home.store.begin() as session:
        session.execute(row.values(body=event.model_dump_json(by_alias=True, exclude_none=True).encode()))
    assert again == first
    assert (other.status_code, other.json()["reasonCode"]) == (409, "IdempotencyKeyReused")


@pytest.mark.parametrize("key", ["", "with space", "ü", "x" * 201])
def test_a_key_is_visible_ascii(home: House, key: str) -> None:
    answer = home.http().post(URL, json=module(), headers={"Idempotency-Key": key.encode()})
    assert (answer.status_code, answer.json()["path"]) == (422, "idempotency-key")


def test_a_named_trace_is_continued(home: House) -> None:
    answer = home.http().post(URL, json=module(version="1.5.0", traceId="trace-from-planning"))
    assert answer.json()["traceId"] == "trace-from-planning"
    event = stored(home)[-1]
    assert event.trace_id == "trace-from-planning"
    assert "traceId" not in event.data


def file(path: str, content: str = "x", **more: Any) -> dict[str, Any]:
    return {"path": path, "content": content} | more


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "version": (module(version="one"), "InvalidPayload", "version"),
    "no repository": ({"moduleId": "m", "version": "1.0.0"}, "InvalidPayload", "repository"),
    "empty repository": (module(repository=""), "InvalidPayload", "repository"),
    "NUL in a name": (module(moduleId="a\x00b"), "InvalidPayload", "moduleId"),
    "line break in a name": (module(repository="a\nb"), "InvalidPayload", "repository"),
    "files": (module(files="all of them"), "InvalidPayload", "files"),
    "unknown key of a file": (module(files=[file("a", mode="644")]), "InvalidPayload", "files[0].mode"),
    "second file": (module(files=[file("a"), {"content": "x"}]), "InvalidPayload", "files[1].path"),
    "trace id": (module(traceId="../x"), "InvalidPayload", "traceId"),
    "leaves the folder": (module(files=[file("a"), file("../x")]), "PathTraversal", "files[1].path"),
    "absolute": (module(files=[file("/etc/passwd")]), "PathAbsolute", "files[0].path"),
    "git's folder": (module(files=[file("sub/.git/config")]), "PathReserved", "files[0].path"),
    "two spellings": (module(files=[file("Readme"), file("README")]), "PathCollision", "files[1].path"),
    "module's own folder": (module(path="../other"), "PathTraversal", "path"),
    "no base64": (module(files=[file("a", "%%%", encoding="base64")]), "InvalidEncoding", "files[0].content"),
    "secret": (
        module(files=[file("c.py", "KEY = '" + "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8" + "'\n")]),
        "SecretFound", "files[0].content",
    ),
    "too many files": (module(files=[file(f"f{n}") for n in range(10_000)]), "TooManyFiles", "files"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_and_nothing_is_stored(home: House, name: str) -> None:
    said, reason_code, path = WRONG[name]
    before = counts(home)
    answer = home.http().post(URL, json=said)
    assert answer.status_code == 422
    assert (answer.json()["reasonCode"], answer.json()["path"]) == (reason_code, path)
    assert answer.json()["detail"]
    assert counts(home) == before


def test_a_found_secret_is_not_repeated(home: House) -> None:
    answer = home.http().post(URL, json=WRONG["secret"][0])
    assert "ghp_" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "reason_code"),
    [
        (b'{"repository": "a", ', 400, "InvalidJson"),
        (b"\xff\xfe", 400, "InvalidJson"),
        (b"", 422, "InvalidPayload"),
        (b"[]", 422, "InvalidPayload"),
        (b'"text"', 422, "InvalidPayload"),
        (b"null", 422, "InvalidPayload"),
    ],
)
def test_what_is_no_json_object_is_refused(home: House, body: bytes, status: int, reason_code: str) -> None:
    before = counts(home)
    answer = home.http().post(URL, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["reasonCode"]) == (status, reason_code)
    assert counts(home) == before


@pytest.mark.parametrize(
    "wrong", [{"number": 2**60}, {"number": float("nan")}, {"half": "\ud800"}, {"number": float("inf")}]
)
def test_what_can_not_be_hashed_the_same_everywhere_is_refused(home: House, wrong: dict[str, Any]) -> None:
    before = counts(home)
    body = json.dumps(module(inputs=wrong)).encode()
    answer = home.http().post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert counts(home) == before


def test_another_content_type_is_refused(home: House) -> None:
    answer = home.http().post(URL, content=b"a: 1", headers={"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["reasonCode"]) == (415, "UnsupportedMediaType")


def test_a_body_over_the_cap_is_refused_whatever_it_announces(home: House) -> None:
    large = b'{"summary": "' + b"x" * (16 * 1024 * 1024) + b'"}'
    before = counts(home)
    announced = home.http().post(URL, content=large, headers={"Content-Type": "application/json"})
    chunks = (large[at : at + 65536] for at in range(0, len(large), 65536))
    streamed = home.http().post(URL, content=chunks, headers={"Content-Type": "application/json"})
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["reasonCode"]) == (413, "BodyTooLarge")
        assert answer.headers["connection"] == "close"
    assert counts(home) == before


def test_binary_files_and_many_bytes_pass(home: House) -> None:
    blob = base64.b64encode(bytes(range(256)) * 3000).decode()
    answer = home.http().post(
        URL, json=module(version="1.6.0", files=[file("a.bin", blob, encoding="base64")])
    )
    assert answer.status_code == 202


def test_a_full_disk_is_503_and_stores_nothing(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.intake.inbox import Unavailable

    async def full(*_: object) -> None:
        raise Unavailable("the database did not take the delivery")

    monkeypatch.setattr(home.runtime.inbox, "accept", full)
    answer = home.http().post(URL, json=module(version="1.7.0"))
    assert (answer.status_code, answer.json()["reasonCode"]) == (503, "Unavailable")
    assert answer.headers["retry-after"] == "5"
