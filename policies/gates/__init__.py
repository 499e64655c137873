"""The gates, found by folder: one class with a `check` per file; two of one name, or none, is an error."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from pydantic import BaseModel


def _gate_in(module: ModuleType) -> type[BaseModel]:
    own = [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseModel) and found.__module__ == module.__name__
        if hasattr(found, "check") and isinstance(getattr(found, "name", None), str)
    ]
    if len(own) != 1:
        raise ImportError(f"{module.__name__} must hold exactly one gate, it holds {len(own)}")
    return own[0]


def discover(package: str, path: Any) -> dict[str, type[BaseModel]]:
    """Name -> gate class of every file of a folder."""
    found: dict[str, type[BaseModel]] = {}
    for entry in iter_modules(path):
        gate = _gate_in(import_module(f"{package}.{entry.name}"))
        name: str = getattr(gate, "name")  # noqa: B009  a gate's attribute, which BaseModel does not have
        if name in found:
            raise ImportError(
                f"two gates are called {name!r}: {found[name].__module__} and {gate.__module__}"
            )
        found[name] = gate
    return found


GATES = discover(__name__, __path__)
