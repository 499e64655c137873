"""docs/forges.md: what each forge can, from what the adapters say of themselves."""

from __future__ import annotations

from importlib import import_module

from bot.forges import registry
from bot.forges.capabilities import Feature, Support
from docs.generate.text import table

TITLES = {"local": "embedded", "github": "GitHub", "gitlab": "GitLab", "azure": "Azure DevOps"}


def text() -> str:
    """The compatibility table."""
    forges = registry()
    names = [name for name in TITLES if name in forges] + sorted(set(forges) - set(TITLES))
    rows = [
        (feature.value, *(_cell(forges[name].capabilities[feature]) for name in names)) for feature in Feature
    ]
    said = table(("", *(TITLES.get(name, name) for name in names)), rows)
    return "\n\n".join([said, *(part for name in names if (part := _unproven(name)))])


def _unproven(name: str) -> str:
    """What of a forge's API no recorded answer here shows."""
    listed = getattr(import_module(f"bot.forges.{name}"), "UNPROVEN", ())
    told = f"What of {TITLES.get(name, name)} stands on its documentation alone: no recorded answer shows it."
    return "\n".join([told, "", *(f"- {one}" for one in listed)]) if listed else ""


def _cell(support: Support) -> str:
    return f"{'yes' if support.yes else '**no**'}{': ' if support.note else ''}{support.note}"
