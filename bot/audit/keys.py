"""Keys that sign and never leave their place: a file here, a key service elsewhere.

openssl genpkey -algorithm ed25519 -out attestation.pem
openssl pkey -in attestation.pem -pubout -out attestation.pub
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


class SigningKey(Protocol):
    """All that is asked of a key."""

    @property
    def key_id(self) -> str:
        """`sha256:` and the digest of the public key (DER, SubjectPublicKeyInfo), hexadecimal."""
        ...

    def sign(self, text: bytes) -> bytes:
        """An Ed25519 signature over `text`. Raises Retryable when the key can not be reached."""
        ...


class KeyUnusable(Exception):
    """The key can not sign; the message says why and what to do."""


class KeyFile:
    """An Ed25519 private key in a PEM file (PKCS 8), without a passphrase."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self._id = f"sha256:{sha256(der).hexdigest()}"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises KeyUnusable, which never shows what is in the file."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise KeyUnusable(f"{path} can not be read: {error.strerror}.") from error
        except TypeError as error:
            raise KeyUnusable(f"{path} is protected by a passphrase: give a key without one.") from error
        except ValueError:
            raise KeyUnusable(f"{path} is no private key in PEM: make one with `openssl genpkey`.") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnusable(
                f"{path} is not an Ed25519 key: `openssl genpkey -algorithm ed25519` makes one."
            )
        return cls(key)

    @property
    def key_id(self) -> str:
        return self._id

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)
