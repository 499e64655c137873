"""One request to GitHub, as the client takes it, and the answer it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.forges.github.account import READ, Needs

NONE: Needs = {}


@dataclass(frozen=True)
class Access:
    """How GitHub is reached. `pause` in seconds between two writes."""

    api_url: str
    app_id: str = ""
    app_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_bundle: Path | None = None
    pause: float = 1.0


@dataclass(frozen=True)
class Answer:
    """A 2xx answer."""

    status: int
    json: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """One request. `wishes` are permissions that would be good to have, beside those it `needs`."""

    method: str
    path: str
    repository: str
    json: Mapping[str, Any] | None = None
    params: Mapping[str, str | int] | None = None
    needs: Needs = field(default_factory=lambda: READ)
    wishes: Needs = field(default_factory=lambda: NONE)
    accept: str = "application/vnd.github+json"
