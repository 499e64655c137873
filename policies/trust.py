"""Whose signatures count.

trust:
  keys:
    ci: |
      -----BEGIN PUBLIC KEY-----
      ...
  identities:
    - {subject: "https://github.com/acme/*", issuer: https://token.actions.githubusercontent.com}
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema

from bot.attestations.envelope import public_key
from bot.domain.errors import Invalid
from policies.schema import CLOSED, Line, Word, wrong


def _public(value: str) -> str:
    try:
        public_key(value)
    except Invalid as error:
        raise wrong(error.message) from None
    return value


PublicKey = Annotated[
    str,
    StringConstraints(max_length=4000),
    AfterValidator(_public),
    WithJsonSchema({"type": "string", "description": "A public key in PEM: Ed25519, ECDSA or RSA."}),
]


class Identity(BaseModel):
    """Whoever holds a Sigstore certificate for `subject` (`*` for any text) that `issuer` vouched for.

    Anybody can have a certificate; without the issuer a pattern would say little.
    """

    model_config = CLOSED

    subject: Line
    issuer: Line


class Trust(BaseModel):
    """Keys by name, and identities of keyless signatures. Nobody else's signature counts."""

    model_config = CLOSED

    keys: dict[Word, PublicKey] = Field(default_factory=dict)
    identities: tuple[Identity, ...] = ()

    @property
    def nobody(self) -> bool:
        """Whether no signature could ever count."""
        return not (self.keys or self.identities)


NOBODY = Trust()
