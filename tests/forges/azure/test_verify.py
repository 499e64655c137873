"""The door of Azure DevOps: a secret beside the body, and what a call is known by."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forges.azure.deliveries import delivery
from bot.forges.azure.verify import authenticate
from bot.forges.port import Delivery, Unauthenticated
from tests.forges.azure import bodies

SECRETS = (b"old-one", b"new:one")
BODY = bodies.push(("refs/heads/main", bodies.BASE, bodies.HEAD))
Headers = list[tuple[bytes, bytes]]


def basic(password: bytes, user: bytes = b"any", scheme: bytes = b"Basic ") -> tuple[bytes, bytes]:
    return b"Authorization", scheme + base64.b64encode(user + b":" + password)


@pytest.mark.parametrize(
    "headers",
    [
        [basic(b"old-one")],
        [basic(b"new:one", user=b"")],
        [basic(b"new:one", scheme=b"basic ")],
        [(b"X-Pointsman-Secret", b"old-one")],
        [(b"x-pointsman-secret", b"new:one"), (b"content-type", b"application/json")],
        [basic(b"old-one"), (b"x-pointsman-secret", b"new:one")],
    ],
)
def test_any_of_the_secrets_opens_by_password_or_header(headers: Headers) -> None:
    assert authenticate(SECRETS, headers, BODY) == Delivery("push:repo-1:14", "demo/booking")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "neither basic authentication nor x-pointsman-secret was given"),
        ([basic(b"wrong")], "the secret does not fit"),
        ([basic(b"old-one ")], "the secret does not fit"),
        ([basic(b"", user=b"old-one")], "the secret does not fit"),
        ([(b"x-pointsman-secret", b"")], "the secret does not fit"),
        ([basic(b"old-one"), (b"x-pointsman-secret", b"wrong")], "the secret does not fit"),
        ([basic(b"old-one")] * 2, "authorization is repeated"),
        ([(b"x-pointsman-secret", b"old-one")] * 2, "x-pointsman-secret is repeated"),
        ([(b"authorization", b"Bearer old-one")], "authorization is not basic"),
        ([(b"authorization", b"Basic ???")], "authorization is unreadable"),
        ([(b"authorization", "Basic ö".encode())], "authorization is unreadable"),
    ],
)
def test_anything_else_is_kept_out_and_told_why_without_the_secret(headers: Headers, reason: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticate(SECRETS, headers, BODY)
    assert str(refused.value) == reason


def test_without_a_secret_of_ours_nobody_comes_in() -> None:
    with pytest.raises(Unauthenticated):
        authenticate((), [basic(b"")], BODY)


def test_the_body_is_not_looked_at_before_the_secret_fits() -> None:
    class Untouchable(bytes):
        def decode(self, *_: object) -> str:  # pragma: no cover - the test is that it is not called
            raise AssertionError("the body was read")

    with pytest.raises(Unauthenticated):
        authenticate(SECRETS, [basic(b"wrong")], Untouchable(BODY))


def test_a_retry_and_a_second_subscription_are_the_same_delivery() -> None:
    said = json.loads(bodies.updated("Jane Doe approved pull request 5"))
    again = said | {"notificationId": 8, "subscriptionId": "sub-2"}
    assert delivery(json.dumps(again).encode()) == delivery(json.dumps(said).encode())
    assert delivery(json.dumps(said).encode()).delivery_id == "event-1"


@pytest.mark.parametrize(
    ("body", "known_by"),
    [
        (BODY, "push:repo-1:14"),
        (bodies.body("git.pullrequest.created", bodies.change()), "created:repo-1:5"),
        (bodies.comment(), "comment:repo-1:5:9.2:2026-11-20T04:05:06"),
        (bodies.comment(isDeleted=True), "comment:repo-1:5:9.2:2026-11-20T04:05:06:deleted"),
        (bodies.comment(_links={}), "event-1"),
        (
            bodies.updated("", status="completed", closedDate="2026-11-20T05:00:00.1Z"),
            "ended:repo-1:5:2026-11-20T05:00:00",
        ),
        (bodies.updated("Jane Doe approved pull request 5"), "event-1"),
        (bodies.body("build.complete", {"id": 1}), "event-1"),
        (bodies.body("build.complete", {"id": 1}, id=None), "sub-1:7"),
    ],
)
def test_what_a_delivery_is_called_after(body: bytes, known_by: str) -> None:
    assert delivery(body).delivery_id == known_by


def test_a_comment_in_two_wordings_is_two_deliveries_and_in_one_is_one() -> None:
    first = delivery(bodies.comment())
    edited = delivery(bodies.comment(lastContentUpdatedDate="2026-11-20T04:09:00Z"))
    assert first != edited
    assert delivery(bodies.comment(lastContentUpdatedDate="2026-11-20T04:05:06.7800000Z")) == first


def test_what_cannot_be_read_is_known_by_its_digest() -> None:
    for body in (b"", b"{", b"[]", b"3", b"null", b'{"id": 3}', b'{"resource": []}', b"\xff" * 30):
        digest = hashlib.sha256(body).hexdigest()
        assert delivery(body) == Delivery(digest, digest)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "eventType",
                        "resource",
                        "repository",
                        "project",
                        "name",
                        "comment",
                        "pullRequest",
                        "_links",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_every_body_is_known_by_something_short_that_can_be_printed(said: object) -> None:
    found = delivery(json.dumps(said).encode())
    assert 0 < len(found.delivery_id) <= 200
    assert found.delivery_id.isprintable()
    assert found.shard_key
