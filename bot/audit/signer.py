"""Signs statements: the performer of `SignStatement`."""

from __future__ import annotations

from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.signer import Signature  # type: ignore[attr-defined]  # not in its stubs

from bot.attestations.statement import PAYLOAD_TYPE
from bot.audit.keys import SigningKey
from bot.domain.canonical import canonical_json
from bot.domain.effect import Effect, SignedResult, SignStatement
from bot.domain.errors import Permanent
from bot.domain.model import Model
from bot.domain.performer import EffectContext


class Signer:
    """Performs effects that need the bot's own key."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:  # noqa: ARG002  signing leaves no mark
        if not isinstance(effect, SignStatement):
            raise Permanent("UnknownEffect", f"{effect.kind} is nothing to sign.")
        return SignedResult(key_id=self.key.key_id, envelope=signed(effect.statement, self.key))


def signed(statement: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """The DSSE envelope of a statement (canonical JSON), signed."""
    envelope = Envelope(canonical_json(statement), PAYLOAD_TYPE, {})
    envelope.signatures[key.key_id] = Signature(key.key_id, key.sign(envelope.pae()).hex())
    made: dict[str, Any] = envelope.to_dict()
    return made
