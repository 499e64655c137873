"""Forges by folder: every package in here is one, and binds its class to `FORGE`."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from bot.forges.port import Forge
from bot.log.store import Store
from bot.settings import Settings


def registry() -> dict[str, type[Forge]]:
    """Forge classes by name. Raises RuntimeError for a folder without one, or for two of one name."""
    found: dict[str, type[Forge]] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            continue
        forge = getattr(import_module(f"{__name__}.{module.name}"), "FORGE", None)
        if forge is None:
            raise RuntimeError(f"bot/forges/{module.name} binds no FORGE")
        if forge.name in found:
            raise RuntimeError(
                f"two forges are called {forge.name!r}: {found[forge.name].__module__} and {forge.__module__}"
            )
        found[forge.name] = forge
    return found


def configured(settings: Settings, store: Store) -> dict[str, Forge]:
    """The forges that the settings speak of, by name; the embedded one always. Raises Unusable."""
    made = {name: forge.configured(settings, store) for name, forge in registry().items()}
    return {name: forge for name, forge in made.items() if forge is not None}
