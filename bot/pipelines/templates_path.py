"""Where the pipeline templates lie: in an installed wheel as data of `bot`, in a work tree at the top."""

from __future__ import annotations

from pathlib import Path

_BOT = Path(__file__).parents[1]


def root() -> Path:
    """The folder of template folders. Raises FileNotFoundError when the installation has none."""
    for folder in (_BOT / "_templates", _BOT.parent / "pipelines-templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("this installation has no pipeline templates; install Pointsman again")
