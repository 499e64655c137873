"""How many requests a forge still allows, as it last said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """Of one account: `installation 12`, `token`. Never a name of somebody, never a secret.

    `resource`: what is counted apart (GitHub: `core`, `graphql`). `reset` in seconds since 1970. None: the
    forge has not said.
    """

    account: str
    resource: str
    limit: float | None
    remaining: float | None
    reset: float | None = None
