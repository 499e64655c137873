"""Is this webhook call genuine? HMAC-SHA256 over the body, compared as bytes and in constant time."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from bot.forges.port import Delivery, Unauthenticated

SIGNATURE = b"x-pointsman-signature-256"
DELIVERY = b"x-pointsman-delivery"
REPOSITORY = b"x-pointsman-repository"
PREFIX = b"sha256="
PRINTABLE = re.compile(rb"[\x21-\x7e]{1,200}")
WORD = re.compile(rb"[\x21-\x7e]+")
"""An id that is too long is signed all the same: the door says what is wrong with it."""


def sign(secret: bytes, body: bytes) -> str:
    """The value of the signature header."""
    return (PREFIX + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()).decode()


def authenticate(
    secrets: Sequence[bytes], raw_headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> Delivery:
    """The delivery, when one of `secrets` signed it; the body is not read. Raises Unauthenticated."""
    given = _single(raw_headers, SIGNATURE)
    # All secrets are tried, so that time does not tell which one fits.
    fits = [hmac.compare_digest(sign(secret, body).encode(), given) for secret in secrets]
    if not any(fits):
        raise Unauthenticated("the signature does not fit")
    delivery_id = _single(raw_headers, DELIVERY, WORD).decode()
    repository = [
        value for name, value in raw_headers if name.lower() == REPOSITORY and PRINTABLE.fullmatch(value)
    ]
    return Delivery(delivery_id, repository[0].decode() if len(repository) == 1 else delivery_id)


def _single(
    raw_headers: Sequence[tuple[bytes, bytes]], wanted: bytes, allowed: re.Pattern[bytes] = PRINTABLE
) -> bytes:
    values = [value for name, value in raw_headers if name.lower() == wanted]
    if len(values) != 1 or not allowed.fullmatch(values[0]):
        raise Unauthenticated(f"{wanted.decode()} is missing, repeated or unreadable")
    return values[0]
