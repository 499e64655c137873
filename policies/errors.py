"""What is wrong with a policy file, where, and what was perhaps meant: what `policy check` says."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class PolicyError:
    """One complaint.

    `line` and `column` count from 1; `path` is `environments.production.gates[2].coverage`.
    """

    line: int
    column: int
    path: str
    message: str
    suggestion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that `policy check --output json` lists."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        hint = f" (did you mean {self.suggestion!r}?)" if self.suggestion else ""
        return f"{self.line}:{self.column}: {where}{self.message}{hint}"


class PolicyErrors(Exception):
    """A policy that can not be used. Whoever catches it blocks: a broken policy never means allowed."""

    def __init__(self, name: str, errors: Iterable[PolicyError]) -> None:
        self.name = name
        self.errors = tuple(
            sorted(set(errors), key=lambda error: (error.line, error.column, error.path, error.message))
        )
        super().__init__("\n".join(f"{name}:{error}" for error in self.errors))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, when one does."""
    by_fold = {candidate.casefold(): candidate for candidate in sorted(known)}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def dotted(path: Iterable[str | int]) -> str:
    """`("gates", 2, "coverage")` as `gates[2].coverage`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
