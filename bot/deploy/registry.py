"""The strategies of this folder by name: every module but those of the frame has a `STRATEGY`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from bot.deploy.port import Strategy, Tools
from bot.domain.errors import Permanent

FRAME = frozenset({"performer", "port", "registry"})
"""Modules of this folder that are no strategy. Packages are what strategies are made of."""


def load(tools: Tools, package: str = "bot.deploy") -> dict[str, Strategy]:
    """All strategies. Raises TypeError for a module without a strategy and for two of one name."""
    found: dict[str, Strategy] = {}
    folder = Path(str(import_module(package).__file__)).parent
    for module in sorted(iter_modules([str(folder)]), key=lambda m: m.name):
        if module.ispkg or module.name in FRAME:
            continue
        made = getattr(import_module(f"{package}.{module.name}"), "STRATEGY", None)
        if made is None:
            raise TypeError(f"{package}.{module.name} has no STRATEGY: modules of this folder are strategies")
        if made.name in found:
            raise TypeError(f"{package}.{module.name}: there is a strategy {made.name!r} already")
        found[made.name] = made(tools)
    return found


def choose(strategies: dict[str, Strategy], name: str) -> Strategy:
    """The strategy of that name. Raises Permanent('UnknownStrategy')."""
    if name not in strategies:
        known = ", ".join(sorted(strategies))
        raise Permanent("UnknownStrategy", f"No deployment strategy is called {name!r}; there are: {known}.")
    return strategies[name]
