"""What both sides of a comparison share: the body of a delivery, its signature, and a forge that reads it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from bot.domain.effect import Effect
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.port import Delivery, RepositoryFact, Unauthenticated, branch_key

SECRET = b"not a secret: benchmarks"
BODY_SIZE = 12 * 1024


@lru_cache(maxsize=1)
def _filling() -> str:
    """What a forge says of commits and people around the few fields that anybody reads."""
    line = {
        "id": "f" * 40,
        "message": "feat: add a booking",
        "author": {"name": "Ada", "email": "ada@example.org"},
    }
    return json.dumps([line] * 80)[: BODY_SIZE - 200]


def body_of(repository: int, number: int) -> bytes:
    """A delivery of 12 KB."""
    names = f'"repository": "acme/repo-{repository}", "branch": "feature/{repository}"'
    head = f'{{{names}, "number": {number}, "filling": "'
    filling = _filling().replace('"', "'")
    return (head + filling[: BODY_SIZE - len(head) - 2] + '"}').encode()


def signature(body: bytes) -> str:
    """As the forges sign."""
    return "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()


class BenchForge:
    """Reads a delivery into one fact."""

    # ruff: noqa: ARG002 - the port's signatures

    name: ClassVar[str] = "local"

    def authenticate(
        self, headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        """HMAC over the bytes, compared in constant time."""
        if not hmac.compare_digest(headers.get("x-signature", ""), signature(body)):
            raise Unauthenticated("signature")
        return Delivery(headers["x-delivery"], headers["x-repository"])

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        """One fact per delivery, on the branch's trace."""
        said = json.loads(body)
        draft = Draft(type="TestsExecuted", data={"repository": said["repository"], "number": said["number"]})
        return [
            RepositoryFact(
                draft,
                said["repository"],
                (branch_key("local", said["repository"], said["branch"]),),
                new_trace=True,
            )
        ]

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        """Not measured."""
        raise NotImplementedError

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        """Not measured."""
        raise NotImplementedError
