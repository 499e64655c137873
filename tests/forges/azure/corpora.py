"""What others recorded of Azure DevOps: read where it lies beside the repository, and said to be missing."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PLACES = (parent / "shared" / "corpora" for parent in Path(__file__).parents)
ROOT = next((place for place in PLACES if place.is_dir()), Path("nowhere"))


def recorded(name: str, pattern: str) -> list[Path]:
    """The files of one collection; none, with a warning, when it is not here."""
    files = sorted((ROOT / name).glob(pattern))
    if not files:
        warnings.warn(f"nothing recorded at {ROOT / name}: nothing is tested with it", stacklevel=2)
    return files


@cache
def locations() -> dict[str, dict[str, Any]]:
    """What `OPTIONS _apis` was answered, by id."""
    files = recorded("ado-resource-locations", "options_apis*.json")
    return {one["id"]: one for path in files for one in json.loads(path.read_text())["value"]}


def cassette(name: str) -> list[dict[str, Any]]:
    """The requests and answers of one recording, in order."""
    (path, *_) = recorded("azure-devops-cli-recordings", f"recordings/{name}.yaml") or [None]
    if path is None:
        return []
    with path.open() as file:
        found: list[dict[str, Any]] = yaml.load(file, Loader=yaml.CSafeLoader)["interactions"]
    return found


def body(interaction: dict[str, Any]) -> Any:
    """The JSON of a recorded answer, or None."""
    text = interaction["response"]["body"].get("string") or ""
    try:
        return json.loads(text)
    except ValueError:
        return None
