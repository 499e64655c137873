"""Which webhook calls are let in, and in which order they stay."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forges.github.verify import authenticate, repository_of, sign
from bot.forges.port import Unauthenticated
from tests.support.corpora import recorded

NEW, OLD = b"new-secret", b"old-secret"
BODY = b'{"repository":{"id":1,"node_id":"x","name":"booking","full_name":"acme/booking"}}'
RECORDED = recorded("octokit-webhooks-examples")


def headers(
    secret: bytes = NEW, body: bytes = BODY, delivery: bytes = b"72d3162e"
) -> list[tuple[bytes, bytes]]:
    return [
        (b"X-GitHub-Event", b"push"),
        (b"X-GitHub-Delivery", delivery),
        (b"X-Hub-Signature-256", sign(secret, body).encode()),
    ]


def test_a_call_signed_with_any_secret_of_ours_is_genuine() -> None:
    for secret in (NEW, OLD):
        delivery = authenticate((NEW, OLD), headers(secret), BODY)
        assert (delivery.delivery_id, delivery.shard_key) == ("72d3162e", "acme/booking")


def test_the_signature_is_the_one_in_the_documentation() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"It's a Secret to Everybody", b"Hello, World!") == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (headers(b"another"), "the signature does not fit"),
        (headers(body=BODY + b" "), "the signature does not fit"),
        (headers()[:2], "x-hub-signature-256 is missing, repeated or unreadable"),
        ([*headers(), headers()[2]], "x-hub-signature-256 is missing, repeated or unreadable"),
        (
            [*headers(), (b"x-hub-signature-256", b"")],
            "x-hub-signature-256 is missing, repeated or unreadable",
        ),
        ([headers()[2]], "x-github-delivery is missing, repeated or unreadable"),
        ([*headers(), headers()[1]], "x-github-delivery is missing, repeated or unreadable"),
        (headers(delivery="ü".encode()), "x-github-delivery is missing, repeated or unreadable"),
        (
            [*headers()[:2], (b"X-Hub-Signature-256", "sha256=ü".encode())],
            "x-hub-signature-256 is missing, repeated or unreadable",
        ),
        (
            [
                *headers()[:2],
                (b"X-Hub-Signature", b"sha1=" + hmac.new(NEW, BODY, hashlib.sha1).hexdigest().encode()),
            ],
            "x-hub-signature-256 is missing, repeated or unreadable",
        ),
    ],
)
def test_anything_else_is_not(raw: list[tuple[bytes, bytes]], reason: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticate((NEW, OLD), raw, BODY)
    assert str(refused.value) == reason


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(Unauthenticated):
        authenticate((), headers(b""), BODY)


def test_every_secret_is_tried_whatever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: tried.append(a) or compare(a, b))
    authenticate((NEW, OLD), headers(), BODY)
    assert len(tried) == 2


def test_the_order_of_a_repositorys_calls_is_kept() -> None:
    """By its full name, as a parser would find it."""
    for path in RECORDED:
        body = path.read_bytes()
        said = json.loads(body)
        expected = (said.get("repository") or {}).get("full_name")
        if path.match(
            "workflow_run/00.completed.json"
        ):  # put together by hand: its run is of another repository
            expected = said["workflow_run"]["repository"]["full_name"]
        assert repository_of(body) == expected, path


words = st.text(max_size=30)
repository = st.fixed_dictionaries(
    {
        "id": st.integers(),
        "name": words,
        "full_name": st.from_regex(r"[\w.-]{1,20}/[\w.-]{1,20}", fullmatch=True).filter(str.isascii),
    }
)


@given(st.dictionaries(words, words), repository, words, st.booleans())
def test_nobodys_text_can_name_another_repository(
    more: dict[str, str], here: dict[str, object], text: str, tight: bool
) -> None:
    planted = '{"repository":{"id":1,"full_name":"evil/one"}}' + text
    said = more | {"comment": {"body": planted}, "repository": here, "sender": {"login": planted}}
    body = json.dumps(said, separators=(",", ":") if tight else None).encode()
    assert repository_of(body) == here["full_name"]


def test_a_call_about_no_repository_stays_with_itself() -> None:
    body = b'{"action":"created","installation":{"id":1},"repositories":[{"full_name":"acme/booking"}]}'
    delivery = authenticate((NEW,), headers(body=body), body)
    assert delivery.shard_key == "72d3162e"


def test_the_search_costs_next_to_nothing_also_when_somebody_fills_the_body() -> None:
    body = b'{"x":"' + rb"\"repository\":{" * 60_000 + b'"}'
    began = time.perf_counter()
    assert repository_of(body) is None
    assert time.perf_counter() - began < 0.2


def test_recorded_calls_are_here_or_it_was_said() -> None:
    assert all(isinstance(path, Path) for path in RECORDED)
