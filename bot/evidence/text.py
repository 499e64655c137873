"""JSON of somebody else, as a value."""

from __future__ import annotations

import json
from typing import Any

from bot.domain.errors import Invalid


def parsed(content: bytes) -> Any:
    """The value of a JSON text. Raises Invalid('NotJson')."""
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid("NotJson", f"the file is not JSON: {error}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
