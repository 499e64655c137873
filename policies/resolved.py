"""Every value of a policy in force, and where it was written: `policy check --resolved`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.model import Policy


@dataclass(frozen=True)
class Value:
    """One value. `origin` is the file or `pack strict`; `converted_from` the seeds' word that it was."""

    path: str
    value: Any
    origin: str
    line: int
    column: int
    converted_from: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `--output json` lists; `convertedFrom` appears only where something was converted."""
        shape = {
            "path": self.path,
            "value": self.value,
            "origin": self.origin,
            "line": self.line,
            "column": self.column,
        }
        return shape | ({"convertedFrom": self.converted_from} if self.converted_from else {})

    def __str__(self) -> str:
        converted = f", from {self.converted_from}" if self.converted_from else ""
        return f"{self.path} = {_written(self.value)}  # {self.origin}:{self.line}{converted}"


def values(policy: Policy) -> Iterator[Value]:
    """In the order of the policy; what tenants say apart is left out."""
    for path, (value, place) in policy.written.items():
        if not path.startswith(("tenants.", "tenants[")):
            plain = {} if value == {} else [] if value == [] else value
            converted = policy.converted.get(place, "")
            yield Value(path, plain, place.origin, place.line, place.column, converted)


def _written(value: Any) -> str:
    return "true" if value is True else "false" if value is False else "null" if value is None else str(value)
