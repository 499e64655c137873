"""Is this webhook call genuine? Bytes only, compared in constant time.

GitLab has two ways (https://docs.gitlab.com/user/project/integrations/webhooks/), and both may be set up at
once:

    X-Gitlab-Token                                       the shared secret itself
    webhook-id, webhook-timestamp, webhook-signature     HMAC-SHA256 over `id.timestamp.body`, by a secret
                                                         that begins with `whsec_` (standardwebhooks.com)

A call with a signature is judged by it when there is a secret that makes signatures, and by nothing else. Its
timestamp may be five minutes off `now`, which the caller hands in: a captured call is worthless after that,
and before that it is known by its id. `Idempotency-Key` (GitLab 17.4) stays the same when a call is sent
again, by GitLab or by a person; `webhook-id` equals it and is signed. `X-Gitlab-Event-UUID` does not: it is
new for each attempt, and calls that caused one another share it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

from bot.forges.port import Delivery, Unauthenticated

SIGNING = b"whsec_"
TOLERANCE_S = 300
Headers = Sequence[tuple[bytes, bytes]]
PRINTABLE = re.compile(rb"[\x21-\x7e]+")
PATH = re.compile(rb'"(?:project_)?path_with_namespace"\s*:\s*"([^"\\\x00-\x1f]{1,400})"')
HOMEPAGE = re.compile(rb'"homepage"\s*:\s*"https?://[^/"]+/([^"\\\x00-\x1f]{1,400})"')
"""A job's call names its project by its address alone."""


def sign(secret: bytes, delivery_id: bytes, timestamp: bytes, body: bytes) -> bytes:
    """The value of `webhook-signature`. Raises binascii.Error for a secret that is not base64."""
    key = base64.b64decode(secret.removeprefix(SIGNING), validate=True)
    signed = b".".join((delivery_id, timestamp, body))
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def usable(secret: bytes) -> bool:
    """Whether a secret can be meant: one that makes signatures must be base64 after its prefix."""
    try:
        return not secret.startswith(SIGNING) or bool(sign(secret, b"", b"", b""))
    except binascii.Error:
        return False


def authenticate(secrets: Sequence[bytes], headers: Headers, body: bytes, *, now: float) -> Delivery:
    """The delivery, when one of `secrets` vouches for it; `now` in seconds since 1970. Raises
    Unauthenticated.
    """
    signing = [secret for secret in secrets if secret.startswith(SIGNING)]
    if signing and _values(headers, b"webhook-signature"):
        delivery_id = _by_signature(signing, headers, body, now)
    else:
        _by_token([secret for secret in secrets if not secret.startswith(SIGNING)], headers)
        delivery_id = _unsigned_id(headers, body)
    return Delivery(delivery_id, _repository(body) or delivery_id)


def _by_signature(secrets: list[bytes], headers: Headers, body: bytes, now: float) -> str:
    given = _single(headers, b"webhook-signature", re.compile(rb"[\x20-\x7e]+")).split()
    delivery_id, timestamp = _single(headers, b"webhook-id"), _single(headers, b"webhook-timestamp")
    made = [sign(secret, delivery_id, timestamp, body) for secret in secrets]
    # All are compared, so that time does not tell which one fits.
    fits = [hmac.compare_digest(ours, theirs) for ours in made for theirs in given]
    if not any(fits):
        raise Unauthenticated("the signature does not fit")
    if not re.fullmatch(rb"\d{1,12}", timestamp) or abs(now - int(timestamp)) > TOLERANCE_S:
        raise Unauthenticated("the call was signed at another time: a copy, or a clock that is wrong")
    return delivery_id.decode()


def _by_token(secrets: list[bytes], headers: Headers) -> None:
    given = _single(headers, b"x-gitlab-token")
    fits = [hmac.compare_digest(secret, given) for secret in secrets]
    if not any(fits):
        raise Unauthenticated("the token does not fit")


def _unsigned_id(headers: Headers, body: bytes) -> str:
    """Before GitLab 17.4 nothing names a call; the body then tells calls with one UUID apart."""
    for name in (b"idempotency-key", b"webhook-id"):
        if _values(headers, name):
            return _single(headers, name).decode()
    uuids = _values(headers, b"x-gitlab-event-uuid")
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f"{_single(headers, b'x-gitlab-event-uuid').decode()}-{digest}" if uuids else digest


def _repository(body: bytes) -> str | None:
    found = PATH.search(body) or HOMEPAGE.search(body)
    return found[1].decode(errors="replace") if found else None


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]


def _single(headers: Headers, wanted: bytes, allowed: re.Pattern[bytes] = PRINTABLE) -> bytes:
    values = _values(headers, wanted)
    if len(values) != 1 or not allowed.fullmatch(values[0]):
        raise Unauthenticated(f"{wanted.decode()} is missing, repeated or unreadable")
    return values[0]
