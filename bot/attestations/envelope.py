"""DSSE: a payload and signatures over it (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md).

`securesystemslib` encodes what is signed and knows the keys. Its own `Envelope.verify` looks only at
signatures whose key id it knows, which the specification calls a hint; here every signature is held against
every trusted key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib import exceptions
from securesystemslib.dsse import Envelope
from securesystemslib.signer import Signature, SSlibKey  # type: ignore[attr-defined]  # not in its stubs

from bot.domain.canonical import canonical_json
from bot.domain.errors import Invalid

SIGNATURES = 10
"""So many signatures of one envelope are looked at; more is no envelope that anybody means."""


def opened(document: Any) -> Envelope:
    """The envelope of a JSON document. Raises Invalid('NotAnEnvelope') with the path."""
    if not isinstance(document, Mapping):
        raise _wrong("", "is not a JSON object")
    for name in ("payload", "payloadType"):
        if not isinstance(document.get(name), str):
            raise _wrong(name, "must be text")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= SIGNATURES:
        raise _wrong("signatures", f"must be a list of 1 to {SIGNATURES} signatures")
    for index, one in enumerate(signatures):
        if not isinstance(one, Mapping) or not isinstance(one.get("sig"), str):
            raise _wrong(f"signatures[{index}].sig", "must be text")
    return _decoded(document)


def _decoded(document: Mapping[str, Any]) -> Envelope:
    """Key ids are hints, and may be missing or equal: here each signature goes by its place."""
    plain = deepcopy({name: document[name] for name in ("payload", "payloadType", "signatures")})
    plain["signatures"] = [
        {"keyid": str(index), "sig": one["sig"]} for index, one in enumerate(plain["signatures"])
    ]
    try:
        return Envelope.from_dict(plain)
    except (ValueError, exceptions.FormatError) as error:
        message = "payload and signatures must be base64"
        raise Invalid("NotAnEnvelope", message, path="payload") from error


def signed_by(document: Mapping[str, Any], pem: str) -> bool:
    """Whether one of the envelope's signatures was made by the key (PEM, public)."""
    return _signed_by(canonical_json(dict(document)), pem)


@lru_cache(maxsize=512)
def _signed_by(document: bytes, pem: str) -> bool:
    envelope = opened(json.loads(document))
    key = public_key(pem)
    return any(_holds(key, one.signature, envelope.pae()) for one in envelope.signatures.values())


def _holds(key: SSlibKey, signature: str, text: bytes) -> bool:
    try:
        key.verify_signature(Signature(key.keyid, signature), text)
    except exceptions.UnverifiedSignatureError:
        return False
    return True


def public_key(pem: str) -> SSlibKey:
    """A public key in PEM. Raises Invalid('NotAKey') for anything else, a private key included."""
    if "PRIVATE KEY" in pem:
        raise Invalid("NotAKey", "this is a private key: paste the public one, and make a new pair")
    try:
        return SSlibKey.from_crypto(load_pem_public_key(pem.encode()))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid("NotAKey", "this is not a public key in PEM (-----BEGIN PUBLIC KEY-----)") from error


def _wrong(path: str, why: str) -> Invalid:
    return Invalid("NotAnEnvelope", f"{path or 'the document'} {why}", path=path)
