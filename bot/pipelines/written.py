"""What a CI system is to have in a repository for one module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

There = Mapping[str, str | None]
"""The files that are there now: path -> text, or None."""


class CannotWrite(ValueError):
    """A file of a person's stands in the way. The sentence says what to do about it."""


@dataclass(frozen=True)
class Written:
    """`files` as they shall be (path -> text), `path` the one with the module's jobs, `jobs` their names
    there by the pipeline's own, `notes` what was done to a person's file and what the CI system can not
    express.
    """

    path: str
    files: Mapping[str, str]
    jobs: Mapping[str, str]
    notes: tuple[str, ...] = ()
