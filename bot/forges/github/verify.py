"""Is this webhook call genuine? X-Hub-Signature-256 over the bytes, in constant time, before it is read.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from bot.forges.port import Delivery, Unauthenticated

SIGNATURE = b"x-hub-signature-256"
DELIVERY = b"x-github-delivery"
PREFIX = b"sha256="
WORD = re.compile(rb"[\x21-\x7e]+")
REPOSITORY = re.compile(rb'(?<!\\)"repository"\s*:\s*\{')
NAME = re.compile(rb'"full_name"\s*:\s*"([\x21\x23-\x5b\x5d-\x7e]{1,200})"')
NEAR = 2_000
"""Bytes after `"repository": {` within which GitHub writes the full name; it is the fourth of its fields."""


def sign(secret: bytes, body: bytes) -> str:
    """The value of the signature header."""
    return (PREFIX + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()).decode()


def authenticate(
    secrets: Sequence[bytes], raw_headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> Delivery:
    """The delivery, when one of `secrets` signed it. Raises Unauthenticated."""
    given = _single(raw_headers, SIGNATURE)
    # All secrets are tried, so that time does not tell which one fits.
    fits = [hmac.compare_digest(sign(secret, body).encode(), given) for secret in secrets]
    if not any(fits):
        raise Unauthenticated("the signature does not fit")
    delivery_id = _single(raw_headers, DELIVERY).decode()
    return Delivery(delivery_id, repository_of(body) or delivery_id)


def repository_of(body: bytes) -> str | None:
    """The full name of the repository that a genuine delivery is about; None when it is about none.

    Deliveries of one repository must stay in order, and GitHub names it in no header. So it is looked for in
    the bytes: one search for the last `"repository":{`, which is the delivery's own (others lie inside
    earlier objects), then in its first bytes for the name. Nobody's text can say it: quotes in a JSON string
    are escaped. That is a hundredth of what parsing costs, and nothing unauthenticated is looked at.
    """
    at = len(body)
    while (at := body.rfind(b'"repository"', 0, at)) >= 0:
        if REPOSITORY.match(body, at):
            found = NAME.search(body, at, at + NEAR)
            return found[1].decode() if found else None
    return None


def _single(raw_headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    values = [value for name, value in raw_headers if name.lower() == wanted]
    if len(values) != 1 or not WORD.fullmatch(values[0]):
        raise Unauthenticated(f"{wanted.decode()} is missing, repeated or unreadable")
    return values[0]
