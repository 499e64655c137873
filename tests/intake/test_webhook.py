"""Bad deliveries at the webhook door: the exact answer, and that nothing was stored or done."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.engine import quarantine
from tests.engine.rig import TestForge, count, signature, signed, wait_for
from tests.intake.conftest import CAP, Door

BODY = json.dumps({"branch": "feature/x", "number": 1}).encode()
PROBLEM = "application/problem+json"
REFUSED = {
    "type": "about:blank", "title": "Unauthorized", "status": 401,
    "detail": "the delivery is not signed with a secret of ours", "reasonCode": "Unauthenticated",
}  # fmt: skip


def test_a_genuine_delivery_is_202_after_it_is_stored(door: Door) -> None:
    answer = door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, "d1"))
    assert (answer.status_code, answer.json()) == (202, {"deliveryId": "d1"})
    with door.runtime.store.read() as session:
        row = session.execute(sa.text("SELECT * FROM inbox")).mappings().one()
    assert (row["tenant"], row["source"], row["kind"], row["delivery_id"]) == (
        "acme",
        "webhooks/local",
        "delivery",
        "d1",
    )
    assert bytes(row["body"]) == BODY
    assert "x-delivery" in row["headers"]
    assert "sha256=" not in row["headers"], "a signature is as good as a secret, and is not kept"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("X-Delivery", "d1")], id="missing"),
        pytest.param([("X-Delivery", "d1"), ("X-Signature", "sha256=" + "0" * 64)], id="wrong"),
        pytest.param([("X-Delivery", "d1"), ("X-Signature", "")], id="empty"),
        pytest.param([("X-Delivery", "d1"), ("X-Signature", signature(BODY)), ("X-Signature", signature(BODY))], id="repeated"),
        pytest.param([(b"X-Delivery", b"d1"), (b"X-Signature", "sha256=ü".encode())], id="non-ascii"),
        pytest.param([(b"X-Delivery", b"d1"), (b"X-Signature", b"sha256=\xff\xfe")], id="not even text"),
        pytest.param([("X-Delivery", "d1"), ("X-Signature", signature(BODY, b"another secret"))], id="other secret"),
        pytest.param([("X-Delivery", "d1"), ("X-Signature", signature(BODY + b" "))], id="of another body"),
    ],
)  # fmt: skip
def test_a_delivery_that_is_not_signed_is_401_and_not_stored(
    door: Door, headers: list[tuple[str, str]]
) -> None:
    answer = door.client.post("/webhooks/local", content=BODY, headers=headers)
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (401, PROBLEM, REFUSED)
    assert door.stored() == 0


def test_an_unknown_forge_is_404(door: Door) -> None:
    answer = door.client.post("/webhooks/gitea", content=BODY, headers=signed(BODY, "d1"))
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no forge 'gitea' here")
    assert door.stored() == 0


def test_a_body_over_the_cap_is_413_before_it_is_authenticated_or_stored(door: Door) -> None:
    big = b"x" * (CAP + 1)

    def streamed() -> Iterator[bytes]:
        for start in range(0, len(big), 1000):
            yield big[start : start + 1000]

    for content in (big, streamed()):
        answer = door.client.post("/webhooks/local", content=content, headers=signed(big, "d1"))
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
        assert answer.json()["detail"] == "the body is larger than 20000 bytes"
    assert door.stored() == 0
    just = b" " * (CAP - len(BODY)) + BODY
    assert door.client.post("/webhooks/local", content=just, headers=signed(just, "d2")).status_code == 202


def test_an_announced_length_over_the_cap_is_refused_unread(door: Door) -> None:
    headers = signed(BODY, "d1") | {"Content-Length": str(CAP + 1)}
    assert door.client.post("/webhooks/local", content=BODY, headers=headers).status_code == 413
    assert door.stored() == 0


def test_a_replayed_delivery_is_202_again_and_has_no_second_effect(working_door: Door) -> None:
    for _ in range(3):
        answer = working_door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, "d1"))
        assert answer.status_code == 202
    store = working_door.runtime.store
    wait_for(lambda: count(store, "events") == 1 and count(store, "inbox", "done = 0") == 0)
    working_door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, "d1"))
    other = b'{"branch": "feature/x", "number": 2}'
    working_door.client.post("/webhooks/local", content=other, headers=signed(other, "d2"))
    wait_for(lambda: count(store, "events") == 2)
    assert count(store, "inbox", "kind = 'delivery'") == 2


@pytest.mark.parametrize("body", [b'{"branch": "feature', b"", b"\xff\xfe", b"[]", b"null", b'"text"'])
def test_an_unreadable_body_is_202_quarantined_visible_and_replayable(
    working_door: Door, body: bytes
) -> None:
    store = working_door.runtime.store
    answer = working_door.client.post("/webhooks/local", content=body, headers=signed(body, "d1"))
    assert answer.status_code == 202
    wait_for(lambda: count(store, "dead_letter") == 1)
    assert count(store, "events") == 0
    with store.read() as session:
        (letter,) = quarantine.letters(session, "acme")
    assert (letter["delivery_id"], letter["status"], letter["source"]) == (
        "d1",
        "quarantined",
        "webhooks/local",
    )
    assert letter["error"] in {"JSONDecodeError", "UnicodeDecodeError", "AttributeError"}
    assert working_door.runtime.retry(letter["id"])
    wait_for(lambda: count(store, "dead_letter") == 2)


def test_an_event_nobody_asked_about_is_202_and_ignored(working_door: Door) -> None:
    body = b'{"wiki": "edited"}'
    assert (
        working_door.client.post("/webhooks/local", content=body, headers=signed(body, "d1")).status_code
        == 202
    )
    store = working_door.runtime.store
    wait_for(lambda: count(store, "inbox", "done = 1") == 1)
    assert (count(store, "events"), count(store, "dead_letter")) == (0, 0)


@pytest.mark.parametrize("delivery_id", ["", "x" * 201])
def test_a_delivery_without_a_usable_id_is_400(door: Door, delivery_id: str) -> None:
    answer = door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, delivery_id))
    assert (answer.status_code, answer.json()["reasonCode"]) == (400, "InvalidDeliveryId")
    assert door.stored() == 0


def test_a_database_that_cannot_store_is_503_with_retry_after(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door.runtime.store.begin() as session:
        session.execute(sa.text("ALTER TABLE inbox RENAME TO away"))
    answer = door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, "d1"))
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["content-type"]) == (
        503,
        "5",
        PROBLEM,
    )
    assert answer.json()["detail"] == "this cannot be stored at the moment; nothing was stored"
    with door.runtime.store.begin() as session:
        session.execute(sa.text("ALTER TABLE away RENAME TO inbox"))
    assert door.stored() == 0
    assert door.client.post("/webhooks/local", content=BODY, headers=signed(BODY, "d1")).status_code == 202


def test_the_forge_of_the_tests_is_a_forge() -> None:
    assert TestForge.name == "local"
