"""Only GitLab's own calls are let in: by the shared secret, or by a fresh signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from bot.forges.gitlab.verify import authenticate, sign, usable
from bot.forges.port import Delivery, Unauthenticated

BODY = b'{"object_kind":"push","project":{"path_with_namespace":"acme/platform/booking"}}'
TOKEN, OLD = b"first-secret", b"old-secret"
SIGNING = b"whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef")
OTHER = b"whsec_" + base64.b64encode(b"another key of thirty-two bytes!")
NOW = 1_795_000_000.0
KEY = b"3a427872-00df-429c-9bc9-a9475de2efe4"
BY_TOKEN = [(b"x-gitlab-token", TOKEN), (b"idempotency-key", KEY), (b"x-gitlab-event-uuid", b"uuid-1")]


def signed(
    secret: bytes = SIGNING, *, at: float = NOW, body: bytes = BODY, key: bytes = KEY
) -> list[tuple[bytes, bytes]]:
    stamp = str(int(at)).encode()
    return [
        (b"webhook-id", key), (b"webhook-timestamp", stamp), (b"webhook-signature", sign(secret, key, stamp, body)),
        (b"idempotency-key", KEY),
    ]  # fmt: skip


def without(headers: list[tuple[bytes, bytes]], name: bytes, *values: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in headers if key != name] + [(name, value) for value in values]


def refusal(secrets: tuple[bytes, ...], headers: list[tuple[bytes, bytes]], body: bytes = BODY) -> str:
    with pytest.raises(Unauthenticated) as refused:
        authenticate(secrets, headers, body, now=NOW)
    return str(refused.value)


@pytest.mark.parametrize("secrets", [(TOKEN,), (TOKEN, OLD), (OLD, TOKEN), (SIGNING, TOKEN)])
def test_each_of_several_tokens_counts(secrets: tuple[bytes, ...]) -> None:
    told = authenticate(secrets, BY_TOKEN, BODY, now=NOW)
    assert told == Delivery(KEY.decode(), "acme/platform/booking")


@pytest.mark.parametrize("secrets", [(SIGNING,), (OTHER, SIGNING), (SIGNING, TOKEN)])
def test_each_of_several_signing_secrets_counts(secrets: tuple[bytes, ...]) -> None:
    told = authenticate(secrets, signed(), BODY, now=NOW)
    assert told == Delivery(KEY.decode(), "acme/platform/booking")


def test_the_signature_is_that_of_the_standard() -> None:
    # Made by hand from https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    content = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + b'{"test": 2432232314}'
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    by_hand = b"v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    ours = sign(
        b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        b"1614265330",
        b'{"test": 2432232314}',
    )
    assert ours == by_hand == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    theirs = dict(headers)[b"webhook-signature"]
    both = without(headers, b"webhook-signature", b"v1,AAAA " + theirs)
    assert authenticate((SIGNING,), both, BODY, now=NOW).delivery_id == KEY.decode()


@pytest.mark.parametrize("name", [b"x-gitlab-token"])
@pytest.mark.parametrize("values", [(), (b"",), (TOKEN, TOKEN), (b"caf\xe9",), (b"a b",)])
def test_a_missing_repeated_or_unreadable_token_is_refused(name: bytes, values: tuple[bytes, ...]) -> None:
    assert (
        refusal((TOKEN,), without(BY_TOKEN, name, *values))
        == "x-gitlab-token is missing, repeated or unreadable"
    )


@pytest.mark.parametrize("value", [OLD, TOKEN[:-1], TOKEN + b"x", TOKEN.upper(), SIGNING])
def test_a_wrong_token_is_refused(value: bytes) -> None:
    assert refusal((TOKEN, SIGNING), without(BY_TOKEN, b"x-gitlab-token", value)) == "the token does not fit"


@pytest.mark.parametrize("name", [b"webhook-id", b"webhook-timestamp", b"webhook-signature"])
def test_a_repeated_header_of_a_signed_call_is_refused(name: bytes) -> None:
    headers = signed()
    twice = [*headers, (name, dict(headers)[name])]
    assert refusal((SIGNING,), twice) == f"{name.decode()} is missing, repeated or unreadable"


@pytest.mark.parametrize("name", [b"webhook-id", b"webhook-timestamp"])
def test_a_signed_call_without_what_was_signed_is_refused(name: bytes) -> None:
    assert (
        refusal((SIGNING,), without(signed(), name)) == f"{name.decode()} is missing, repeated or unreadable"
    )


@pytest.mark.parametrize(
    "headers",
    [
        signed(OTHER),
        signed(body=BODY + b" "),
        without(signed(), b"webhook-id", b"another"),
        without(signed(), b"webhook-timestamp", str(int(NOW) + 1).encode()),
        without(signed(), b"webhook-signature", b"v1,"),
        without(signed(), b"webhook-signature", dict(signed())[b"webhook-signature"].removeprefix(b"v1,")),
        without(
            signed(), b"webhook-signature", dict(signed())[b"webhook-signature"].replace(b"v1,", b"v1a,")
        ),
    ],
)
def test_a_wrong_signature_is_refused_whatever_the_token(headers: list[tuple[bytes, bytes]]) -> None:
    with_token = [*headers, (b"x-gitlab-token", TOKEN)]
    assert refusal((SIGNING, TOKEN), with_token) == "the signature does not fit"


@pytest.mark.parametrize("off", [-301, 301, -86400, 86400])
def test_a_call_signed_at_another_time_is_refused(off: int) -> None:
    said = "the call was signed at another time: a copy, or a clock that is wrong"
    assert refusal((SIGNING,), signed(at=NOW + off)) == said


@pytest.mark.parametrize("off", [-299, 0, 299])
def test_clocks_may_be_a_little_apart(off: int) -> None:
    assert authenticate((SIGNING,), signed(at=NOW + off), BODY, now=NOW).delivery_id == KEY.decode()


@pytest.mark.parametrize("stamp", [b"soon", b"-1795000000", b"1795000000.5", b"9" * 40])
def test_a_timestamp_is_whole_seconds(stamp: bytes) -> None:
    headers = [
        (b"webhook-id", KEY),
        (b"webhook-timestamp", stamp),
        (b"webhook-signature", sign(SIGNING, KEY, stamp, BODY)),
    ]
    assert refusal((SIGNING,), headers).startswith("the call was signed at another time")


def test_without_a_secret_nobody_is_let_in() -> None:
    assert refusal((), BY_TOKEN) == "the token does not fit"
    assert refusal((), signed()) == "x-gitlab-token is missing, repeated or unreadable"


def test_a_signing_secret_is_no_token() -> None:
    assert refusal((SIGNING,), [(b"x-gitlab-token", SIGNING)]) == "the token does not fit"


def test_a_signed_call_is_known_by_what_was_signed() -> None:
    """Or a copy under another `Idempotency-Key` would be another call."""
    copied = without(signed(), b"idempotency-key", b"another")
    assert authenticate((SIGNING,), copied, BODY, now=NOW).delivery_id == KEY.decode()


def test_a_call_sent_again_is_the_same_call() -> None:
    again = without(BY_TOKEN, b"x-gitlab-event-uuid", b"uuid-2")
    first, second = (authenticate((TOKEN,), headers, BODY, now=NOW) for headers in (BY_TOKEN, again))
    assert first == second


def test_before_keys_were_sent_the_body_tells_calls_with_one_uuid_apart() -> None:
    old = without(BY_TOKEN, b"idempotency-key")
    ids = {authenticate((TOKEN,), old, body, now=NOW).delivery_id for body in (BODY, BODY + b" ")}
    assert len(ids) == 2
    assert all(one.startswith("uuid-1-") for one in ids)
    bare = without(old, b"x-gitlab-event-uuid")
    assert authenticate((TOKEN,), bare, BODY, now=NOW).delivery_id == hashlib.sha256(BODY).hexdigest()[:32]


@pytest.mark.parametrize(
    ("said", "shard"),
    [
        (
            {
                "project": {"path_with_namespace": "a/b"},
                "object_attributes": {"source": {"path_with_namespace": "fork/b"}},
            },
            "a/b",
        ),
        ({"object_kind": "build", "repository": {"homepage": "https://gitlab.test/a/b/c"}}, "a/b/c"),
        (
            {"event_name": "user_add_to_team", "project_path_with_namespace": "jsmith/storecloud"},
            "jsmith/storecloud",
        ),
        ({"event_name": "group_create", "path": "storecloud"}, KEY.decode()),
    ],
)
def test_deliveries_of_one_project_share_a_lane(said: dict[str, object], shard: str) -> None:
    assert authenticate((TOKEN,), BY_TOKEN, json.dumps(said).encode(), now=NOW).shard_key == shard


def test_what_is_no_json_is_authenticated_all_the_same() -> None:
    assert authenticate((TOKEN,), BY_TOKEN, b"\xff\x00 no json", now=NOW).shard_key == KEY.decode()


@pytest.mark.parametrize(
    ("secret", "fit"), [(TOKEN, True), (SIGNING, True), (b"whsec_not base64", False), (b"whsec_$$", False)]
)
def test_a_secret_that_cannot_be_meant_is_found_out(secret: bytes, fit: bool) -> None:
    assert usable(secret) is fit
