"""Settings that the bot itself was given and keeps in its home: `settings.env`, its owner's alone.

The environment overrules them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import set_key

NAME = "settings.env"


def place(home: Path) -> Path:
    """Where they are."""
    return home / NAME


def keep(home: Path, values: Mapping[str, str]) -> Path:
    """Write them, in place of those of the same names. The file is never readable by others."""
    path = place(home)
    home.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    path.chmod(0o600)
    for name, value in values.items():
        set_key(path, name, value)
    return path
