"""What the bot asks of a forge: know a genuine delivery, put it into our words, do effects, give files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from bot.domain.effect import Effect
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.domain.performer import EffectContext


class Unauthenticated(Exception):
    """A delivery that does not prove where it comes from: nothing of it is stored."""


@dataclass(frozen=True)
class Delivery:
    """One genuine webhook call. `shard_key` keeps the deliveries of one repository in order."""

    delivery_id: str
    shard_key: str


@dataclass(frozen=True)
class RepositoryFact:
    """What a delivery says, before it is known which trace it belongs to.

    The trace is the owner of the first known key of `hints`, else `trace_id`, which a trailer names, if the
    bot itself is the actor, else a new one when `new_trace` says that such a fact begins one.
    """

    draft: Draft
    repository: str
    hints: tuple[str, ...] = ()
    trace_id: str | None = None
    new_trace: bool = False


def change_key(forge: str, repository: str, number: int) -> str:
    """The trace key of a change."""
    return f"{forge}:{repository}#{number}"


def branch_key(forge: str, repository: str, branch: str) -> str:
    """The trace key of a branch."""
    return f"{forge}:{repository}@{branch}"


def revision_key(forge: str, repository: str, sha: str) -> str:
    """The trace key of a revision."""
    return f"{forge}:{repository}={sha}"


class Forge(Protocol):
    """One forge: GitHub, GitLab, Azure DevOps or the embedded one."""

    name: ClassVar[str]

    def authenticate(
        self, headers: Mapping[str, str], raw_headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Delivery:
        """Who is calling, from bytes alone and in constant time. Raises Unauthenticated."""
        ...

    def normalise(self, headers: Mapping[str, str], body: bytes) -> list[RepositoryFact]:
        """A delivery in our words; empty for what nobody asked about. Pure. Raises on what it cannot read."""
        ...

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:
        """Do one effect, once (bot.domain.performer). Raises Retryable or Permanent."""
        ...

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        """Write the files below `path` (empty: all) of a revision into `into`. Raises Permanent."""
        ...
