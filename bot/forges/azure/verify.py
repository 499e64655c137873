"""Is this service hook call genuine? A secret comes with it; nothing signs the body.

A subscription sends the secret as the password of basic authentication (the user does not matter), or in the
header `X-Pointsman-Secret` (its field "HTTP headers": `X-Pointsman-Secret:<secret>`). Both protect no more
than the connection does: the address must be https.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

from bot.forges.azure.deliveries import delivery
from bot.forges.port import Delivery, Unauthenticated

AUTHORIZATION, SECRET = b"authorization", b"x-pointsman-secret"
BASIC = b"basic "


def authenticate(
    secrets: Sequence[bytes], raw_headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> Delivery:
    """The delivery, when what came with it fits one of `secrets`. Raises Unauthenticated.

    The body is looked at only after that.
    """
    given = [
        *(_password(value) for value in _values(raw_headers, AUTHORIZATION)),
        *_values(raw_headers, SECRET),
    ]
    if not given:
        raise Unauthenticated("neither basic authentication nor x-pointsman-secret was given")
    # All secrets are tried, so that time does not tell which one fits.
    fits = [[hmac.compare_digest(secret, one) for secret in secrets] for one in given]
    if not all(any(row) for row in fits):
        raise Unauthenticated("the secret does not fit")
    return delivery(body)


def _values(raw_headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    values = [value for name, value in raw_headers if name.lower() == wanted]
    if len(values) > 1:
        raise Unauthenticated(f"{wanted.decode()} is repeated")
    return values


def _password(value: bytes) -> bytes:
    if value[: len(BASIC)].lower() != BASIC:
        raise Unauthenticated("authorization is not basic")
    try:
        decoded = base64.b64decode(value[len(BASIC) :].strip(), validate=True)
    except binascii.Error as error:
        raise Unauthenticated("authorization is unreadable") from error
    return decoded.partition(b":")[2]
