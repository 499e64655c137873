"""Recorded payloads of others, beside the repository: read where they lie, and said to be missing when they are."""

from __future__ import annotations

import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2].parent / "shared" / "corpora"


def recorded(name: str, pattern: str = "**/*.json") -> list[Path]:
    """The files of one collection; none, with a warning, when it is not here."""
    files = sorted(path for path in (ROOT / name).glob(pattern) if path.is_file())
    if not files:
        warnings.warn(
            f"nothing recorded at {ROOT / name}: what is tested with it is not tested", stacklevel=2
        )
    return files
