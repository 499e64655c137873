"""A forge that reads the deliveries of the benchmarks."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from benchmarks.delivery import signature
from bot.domain.effect import Effect
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.port import Delivery, RepositoryFact, Unauthenticated, branch_key


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
