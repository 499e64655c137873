"""One thing that is wrong with a policy whose words are all right."""

from __future__ import annotations

from typing import NamedTuple

from policies.source import Path


class Complaint(NamedTuple):
    """One thing that is wrong at a path."""

    path: Path
    message: str
    suggestion: str | None = None
