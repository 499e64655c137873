"""Effects on nothing but the log: a policy that is only tried."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bot.domain.effect.common import Effect


class TryPolicy(Effect):
    """Try the policy of a revision: lint, the repository's unit tests of it, a backtest over past verdicts,
    and the open changes that it would newly block. Changes nothing. Result: `PolicyTrial`.
    """

    kind: ClassVar[str] = "TryPolicy"
    target: str = "policy"
    forge: str
    change: int
    branch: str
    """Where files are read that lie outside `.pointsman/`."""
    revision: str
    organisation: str | None = None
    """The policy that the organisation's repositories lie over."""
    traces: int = Field(default=1000, ge=1, le=100_000)
    """So many traces of the repository are asked again, those that moved last."""
