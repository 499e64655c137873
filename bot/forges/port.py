"""What the bot asks of a forge: know a genuine delivery, put it into our words, do effects, give files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, Self

from bot.domain.effect import Effect, MergeChange
from bot.domain.errors import Permanent
from bot.domain.event import Draft
from bot.domain.model import Model
from bot.domain.performer import EffectContext
from bot.forges.allowance import Allowance
from bot.forges.capabilities import Capabilities
from bot.forges.finding import Finding
from bot.log.store import Store
from bot.settings import Settings


class Unusable(Exception):
    """Settings of a forge that cannot be meant; the message says which and what to do."""


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


@dataclass(frozen=True)
class Missed:
    """A webhook call that never arrived, as the forge would have made it; told once per `delivery_id`."""

    delivery: Delivery
    headers: Mapping[str, str]
    body: bytes


REPORT_CAP = 8 * 1024 * 1024
"""Bytes of one report that is read."""


@dataclass(frozen=True)
class Report:
    """A file that a pipeline run kept. `path` is its name inside the run's artefact."""

    path: str
    content: bytes | None


def change_key(forge: str, repository: str, number: int) -> str:
    """The trace key of a change."""
    return f"{forge}:{repository}#{number}"


def branch_key(forge: str, repository: str, branch: str) -> str:
    """The trace key of a branch."""
    return f"{forge}:{repository}@{branch}"


def revision_key(forge: str, repository: str, sha: str) -> str:
    """The trace key of a revision."""
    return f"{forge}:{repository}={sha}"


def same_target(effect: MergeChange, target: str) -> None:
    """Raises Permanent('TargetChanged') when a change leads elsewhere than the one that was judged."""
    if effect.target_branch and effect.target_branch != target:
        raise Permanent(
            "TargetChanged",
            f"change {effect.change} leads to {target} now; it was judged for {effect.target_branch}",
        )


class Forge(Protocol):
    """One forge: GitHub, GitLab, Azure DevOps or the embedded one."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @classmethod
    def configured(cls, settings: Settings, store: Store) -> Self | None:
        """This forge as the settings want it; None when they give the bot no account there.

        Raises Unusable for settings that cannot be meant. Nothing is sent yet. `store` is for forges that
        keep something of their own in the bot's database.
        """
        ...

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

    def reports(self, repository: str, run: str) -> Iterator[Report]:
        """What a pipeline run kept, file by file, at most `REPORT_CAP` bytes of each; bigger ones are told
        with `content` None. Raises Retryable or Permanent.
        """
        ...

    def missed(self, since: datetime) -> Iterable[Missed]:
        """What happened since then and may never have been delivered. Raises Retryable."""
        ...

    def examine(self, repositories: Sequence[str]) -> Iterable[Finding]:
        """Look whether everything is set up: token, permissions, clock, and for each repository the webhook
        and whether its protection really requires the bot's check. Changes nothing. What cannot be looked at
        is a finding, too.
        """
        ...

    def allowances(self) -> Iterable[Allowance]:
        """What is left of its rate limits, as this process was last told. Asks nobody."""
        ...

    def connect(self, repository: str, webhook_url: str) -> Iterable[Finding]:
        """Make the forge call `webhook_url` about a repository, and see that the bot may work there.

        Done again it finds what is there. What could not be done is a finding.
        """
        ...
