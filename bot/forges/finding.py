"""What somebody who looks at a set-up finds: whether a thing is as it must be, and if not, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """`about` names the thing in a word or two; `do` is empty where nothing is to be done."""

    about: str
    standing: Standing
    says: str
    do: str = ""


def fine(about: str, says: str) -> Finding:
    """As it must be."""
    return Finding(about, Standing.OK, says)


def doubtful(about: str, says: str, do: str) -> Finding:
    """Works, but not as somebody would expect."""
    return Finding(about, Standing.WARNING, says, do)


def broken(about: str, says: str, do: str) -> Finding:
    """Does not work."""
    return Finding(about, Standing.BROKEN, says, do)
