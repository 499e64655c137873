"""Only what we signed is let in."""

from __future__ import annotations

import pytest

from bot.forges.local.verify import authenticate, sign
from bot.forges.port import Delivery, Unauthenticated

BODY = b'{"event":"push"}'
DELIVERY = b"x-pointsman-delivery"
OLD, NEW = b"old", b"new"
GOOD = [
    (b"x-pointsman-signature-256", sign(NEW, BODY).encode()),
    (b"x-pointsman-delivery", b"d-1"),
    (b"x-pointsman-repository", b"demo/booking"),
]


def replaced(name: bytes, *values: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in GOOD if key != name] + [(name, value) for value in values]


@pytest.mark.parametrize("secrets", [(NEW,), (NEW, OLD), (OLD, NEW)])
def test_each_of_several_secrets_counts(secrets: tuple[bytes, ...]) -> None:
    assert authenticate(secrets, GOOD, BODY) == Delivery("d-1", "demo/booking")


def test_a_header_is_found_whatever_its_case() -> None:
    assert authenticate((NEW,), [(name.title(), value) for name, value in GOOD], BODY).delivery_id == "d-1"


@pytest.mark.parametrize("name", [b"x-pointsman-signature-256", b"x-pointsman-delivery"])
@pytest.mark.parametrize("values", [(), (b"",), (b"a", b"b"), (b"caf\xe9",), (b"a b",)])
def test_a_missing_repeated_or_unreadable_header_is_refused(name: bytes, values: tuple[bytes, ...]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticate((NEW,), replaced(name, *values), BODY)
    assert str(refused.value) == f"{name.decode()} is missing, repeated or unreadable"


@pytest.mark.parametrize(
    "value",
    [
        sign(OLD, BODY),
        sign(NEW, BODY + b" "),
        sign(NEW, BODY)[:-1],
        sign(NEW, BODY).upper(),
        sign(NEW, BODY)[7:],
    ],
)
def test_a_wrong_signature_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticate((NEW,), replaced(b"x-pointsman-signature-256", value.encode()), BODY)
    assert str(refused.value) == "the signature does not fit"


def test_a_signed_delivery_with_too_long_an_id_is_not_called_unsigned() -> None:
    assert authenticate((NEW,), replaced(DELIVERY, b"a" * 201), BODY).delivery_id == "a" * 201


def test_without_a_secret_nothing_is_let_in() -> None:
    with pytest.raises(Unauthenticated):
        authenticate((), GOOD, BODY)


@pytest.mark.parametrize("values", [(), (b"a/b", b"c/d"), (b"caf\xe9",)])
def test_an_unclear_repository_shards_by_delivery(values: tuple[bytes, ...]) -> None:
    assert authenticate((NEW,), replaced(b"x-pointsman-repository", *values), BODY) == Delivery("d-1", "d-1")


def test_the_signature_is_the_one_everybody_else_computes() -> None:
    # printf '{"event":"push"}' | openssl dgst -sha256 -hmac new
    assert sign(b"new", BODY) == "sha256=" + EXPECTED


EXPECTED = "6b71d0bc6b2f16a52f025e84234aba79e3fc875b8b767a752a59c9932c2833be"
